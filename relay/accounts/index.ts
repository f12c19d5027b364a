export { INVITE_STATES } from '../lib/invite-states.ts';
export { type BoxDirectory, createBoxDirectory, type KnownBox } from './box-directory.ts';
export { type Deliver, handOver, type InviteLetter } from './delivery.ts';
export { createInvites, INVITE_TTL_MS, type Invites } from './invites.ts';
export { SESSION_ABSOLUTE_MS } from './open-session.ts';
export { changeOwnPassword, needsCurrent } from './own-password.ts';
export { PASSWORD_MIN } from './password.ts';
export { signInWithPassword } from './password-sign-in.ts';
export {
  createLinkByEmail,
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
  SESSION_IDLE_MS,
  type StaffSessions,
} from './sessions.ts';
export { changePerson, type PersonChange } from './users.ts';
