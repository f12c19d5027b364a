import type { Role } from '../lib/roles.ts';

/** An invite on its way to the person it is for. */
export interface InviteLetter {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly invitedBy: string;
  /** The one-time link; its token stands behind `#`. Not to be logged. */
  readonly url: string;
  readonly expiresAtMs: number;
}

/** Brings an invite to its person. Answers with the link to show the admin who made it. */
export type Deliver = (letter: InviteLetter) => Promise<{ readonly url: string }>;

/** The admin gets the link and hands it over in a way both trust. The relay sends no mail. */
export const handOver: Deliver = async ({ url }) => ({ url });
