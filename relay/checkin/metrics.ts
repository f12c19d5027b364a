import { Counter, type Registry } from 'prom-client';
import type { CheckinDecision } from './decide.ts';

type Outcome = CheckinDecision['outcome'];
const OUTCOMES = [
  'accept',
  'repeat',
  'restored',
  'clone',
  'quarantined',
  'unknown',
  'revoked',
] as const satisfies readonly Outcome[];

export interface CheckinMetrics {
  checkins: Record<Outcome, { inc(): void }>;
}

export function createCheckinMetrics(registry: Registry): CheckinMetrics {
  const checkins = new Counter({
    name: 'relay_checkins_total',
    help: 'Check-ins by what they led to',
    labelNames: ['outcome'],
    registers: [registry],
  });
  return {
    checkins: Object.fromEntries(OUTCOMES.map((outcome) => [outcome, checkins.labels(outcome)])) as Record<
      Outcome,
      { inc(): void }
    >,
  };
}
