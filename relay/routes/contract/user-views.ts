import { Type } from '@sinclair/typebox';
import { Count, closed, Id, Nullable, oneOf, ShortText, UnixMs } from '@sitewarden/agent-proto/http';
import { EMAIL_PATTERN } from '../../lib/emails.ts';
import { INVITE_STATES } from '../../lib/invite-states.ts';
import { NAME_PATTERN, NAME_WORDS } from '../../lib/names.ts';
import { ROLES } from '../../lib/roles.ts';

const Email = Type.String({ pattern: EMAIL_PATTERN, maxLength: 254, description: 'an e-mail address' });
const PersonName = Type.String({ minLength: 1, maxLength: 120, pattern: NAME_PATTERN, description: NAME_WORDS });
/** Longer than any password that fits, so that one too long is told so. */
const Password = Type.String({ minLength: 1, maxLength: 1024 });
const InviteToken = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
const SiteIds = Type.Array(Id('site'), {
  maxItems: 1000,
  uniqueItems: true,
  description: 'sites a technician may claim at; other roles have none',
});

export const PasswordSignIn = closed({ email: Type.String({ minLength: 1, maxLength: 254 }), password: Password });

const person = {
  id: Id('stf'),
  name: ShortText,
  email: Nullable(Type.String()),
  role: oneOf(ROLES),
  siteIds: Type.Array(Id('site')),
  siteNames: Type.Array(ShortText, { description: 'in the order of siteIds' }),
  hasPassword: Type.Boolean(),
  lastSignInAtMs: Nullable(UnixMs),
  createdAtMs: UnixMs,
  disabledAtMs: Nullable(UnixMs),
};
export const UserView = closed(person);
export const UserList = closed({ users: Type.Array(UserView), asOfMs: UnixMs });
export const MeView = closed({
  ...person,
  needsCurrent: Type.Boolean({
    description: 'a change must say the present password; not shortly after signing in with a one-time link',
  }),
});
export const UserChange = closed({
  name: Type.Optional(PersonName),
  role: Type.Optional(oneOf(ROLES)),
  siteIds: Type.Optional(SiteIds),
  disabled: Type.Optional(Type.Boolean()),
});
export const OwnPassword = closed({
  current: Type.Optional(Password),
  next: Password,
  email: Type.Optional(Email),
});

export const InviteRequest = closed({
  email: Email,
  name: PersonName,
  role: oneOf(ROLES),
  siteIds: Type.Optional(SiteIds),
});
export const InviteView = closed({
  id: Id('inv'),
  email: Type.String(),
  name: ShortText,
  role: oneOf(ROLES),
  siteIds: Type.Array(Id('site')),
  state: oneOf(INVITE_STATES),
  createdBy: ShortText,
  createdAtMs: UnixMs,
  expiresAtMs: UnixMs,
  acceptedAtMs: Nullable(UnixMs),
  revokedAtMs: Nullable(UnixMs),
});
export const InviteList = closed({ invites: Type.Array(InviteView), asOfMs: UnixMs });
/** The only time the link is seen: its token is stored hashed. */
export const InviteCreated = closed({ invite: InviteView, url: Type.String() });
export const InviteGreeting = closed({
  partnerName: ShortText,
  invitedBy: ShortText,
  name: ShortText,
  email: Type.String(),
  role: oneOf(ROLES),
  siteNames: Type.Array(ShortText),
  expiresAtMs: UnixMs,
  passwordMinLength: Count,
});
export const InviteParams = closed({ token: InviteToken });
export const InviteAccept = closed({ token: InviteToken, password: Password });
