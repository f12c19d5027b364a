import type { ApplianceContext } from '../lib/context.ts';
import { UNKNOWN_KINDS, type UnknownParts } from './validate-message.ts';

/** Counts what agents say that this version does not know; says it once for each agent, not once a minute. */
export function createUnknownWatch({ log, metrics }: Pick<ApplianceContext, 'log' | 'metrics'>) {
  const logged = new Set<string>();
  return (agentId: string, unknown: UnknownParts): void => {
    for (const kind of UNKNOWN_KINDS) if (unknown[kind] > 0) metrics.intakeUnknown.inc({ kind }, unknown[kind]);
    if (logged.has(agentId)) return;
    logged.add(agentId);
    log.warn({ agentId, ...unknown }, 'an agent is newer than this box; what the box does not know is left out');
  };
}
