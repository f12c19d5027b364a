import type { EvidenceState, FleetStatus, Health, Severity } from '../api/types.ts';
import type { Sign } from './tone.ts';

export const HEALTH: Record<Health, Sign> = {
  problem: { tone: 'bad', icon: 'octagon', word: 'Problem' },
  warning: { tone: 'warn', icon: 'triangle', word: 'Warning' },
  unknown: { tone: 'unknown', icon: 'question', word: 'Unknown' },
  ok: { tone: 'ok', icon: 'check', word: 'OK' },
};
export const HEALTHS = Object.keys(HEALTH) as Health[];

export const FLEET: Record<FleetStatus['value'], Sign> = {
  online: { tone: 'ok', icon: 'signal', word: 'Online' },
  stale: { tone: 'warn', icon: 'clock', word: 'Stale' },
  offline: { tone: 'bad', icon: 'cross', word: 'Offline' },
  pending: { tone: 'neutral', icon: 'dots', word: 'Pending' },
};

export const SEVERITY: Record<Severity, Sign> = {
  critical: { tone: 'bad', icon: 'octagon', word: 'Critical' },
  high: { tone: 'bad', icon: 'triangle', word: 'High' },
  medium: { tone: 'warn', icon: 'triangle', word: 'Medium' },
  low: { tone: 'info', icon: 'info', word: 'Low' },
  info: { tone: 'neutral', icon: 'info', word: 'Info' },
};
/** Worst first. */
export const SEVERITIES = Object.keys(SEVERITY) as Severity[];

export const EVIDENCE: Record<EvidenceState['mark'], Sign> = {
  cosigned: { tone: 'ok', icon: 'shield', word: 'Cosigned' },
  pending: { tone: 'warn', icon: 'shieldOpen', word: 'Not yet cosigned' },
  broken: { tone: 'bad', icon: 'shieldBroken', word: 'Broken' },
  none: { tone: 'neutral', icon: 'dash', word: 'No evidence yet' },
};
