import type { Role } from './roles.ts';

/** A signed-in person. `actor` is how others read who did something. */
export interface Tenant {
  readonly partnerId: string;
  readonly staffId: string;
  readonly role: Role;
  readonly actor: string;
  /** SHA-256 of the session token; names the session without being able to use it. */
  readonly sessionHash: string;
  readonly expiresAtMs: number;
}

/** A claimed box whose request verified. `state`: a quarantined box may still check in, but gets nothing done. */
export interface Box {
  readonly applianceId: string;
  readonly partnerId: string;
  readonly siteId: string;
  readonly epoch: number;
  readonly state: 'active' | 'quarantined';
  readonly fingerprint: string;
  readonly dik: string;
  readonly evk: string;
  /** The key in force, where the box came with the announced one; only check-ins do. */
  readonly follows?: string;
}

/** A box that may be claimed or not: all that is known is that it holds the private half of `dik`. */
export interface Device {
  readonly dik: string;
  readonly fingerprint: string;
  /** Where it calls from. */
  readonly address: string;
}
