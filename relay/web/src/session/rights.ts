import type { Role } from '../api/types.ts';

/** What a role may do. The relay decides; this only keeps buttons away that it would refuse. */
const RIGHTS = {
  viewSites: ['admin', 'operator', 'readonly'],
  order: ['admin', 'operator'],
  provision: ['admin', 'operator'],
  configure: ['admin'],
  approve: ['admin'],
  managePeople: ['admin'],
  claim: ['admin', 'operator', 'technician'],
} as const satisfies Record<string, readonly Role[]>;

export type Right = keyof typeof RIGHTS;

export const may = (role: Role, right: Right): boolean => (RIGHTS[right] as readonly Role[]).includes(role);
