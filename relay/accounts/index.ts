export { type BoxDirectory, createBoxDirectory, type KnownBox } from './box-directory.ts';
export {
  createPartner,
  createSignInLink,
  disablePerson,
  hasTenants,
  LINK_TTL_MS,
  listPeople,
  type SignInLink,
} from './people.ts';
export {
  createStaffSessions,
  isSessionAlive,
  SESSION_ABSOLUTE_MS,
  SESSION_IDLE_MS,
  type StaffSessions,
} from './sessions.ts';
