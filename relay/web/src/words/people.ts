import type { Invite, Role } from '../api/types.ts';
import type { Sign } from './tone.ts';

export const ROLE_WORDS: Record<Role, { word: string; does: string }> = {
  admin: { word: 'Admin', does: 'everything: people, sites, approvals' },
  operator: { word: 'Operator', does: 'sees sites, gives orders, makes codes and claims boxes' },
  readonly: { word: 'Reader', does: 'sees sites and changes nothing' },
  technician: { word: 'Technician', does: 'claims boxes at given sites, and sees nothing else' },
};

export const INVITE_STATE: Record<Invite['state'], Sign> = {
  open: { tone: 'info', icon: 'clock', word: 'Not accepted yet' },
  accepted: { tone: 'ok', icon: 'check', word: 'Accepted' },
  expired: { tone: 'neutral', icon: 'clock', word: 'Expired' },
  revoked: { tone: 'neutral', icon: 'ban', word: 'Taken back' },
};

export const PERSON_STATE: Record<'active' | 'disabled', Sign> = {
  active: { tone: 'ok', icon: 'check', word: 'Active' },
  disabled: { tone: 'neutral', icon: 'ban', word: 'Disabled' },
};
