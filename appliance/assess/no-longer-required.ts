import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import {
  agentIdOf,
  changes,
  deleteLatestResult,
  openIncidentOf,
  type ResultKey,
  resultsNotAskedFor,
  state,
  toIncidentChange,
  updateIncident,
} from '../store/index.ts';
import { requiredSubjects } from './admit.ts';

const MAX_ROWS = 200;
/** Staff may have a check run once that the site does not ask for: its result stays this long. */
const ONCE_ASKED_MS = 3_600_000;

/**
 * What the configuration names no longer, nobody will ever report on again: its incidents end here, its results go, and the
 * relay drops them too. Answers the results that are gone, and whether more are left. Belongs in a transaction.
 */
export function dropNoLongerRequired(db: SqliteDatabase, nowMs: number): { dropped: ResultKey[]; hasMore: boolean } {
  const site = state.siteConfig(db);
  if (site === undefined) return { dropped: [], hasMore: false };
  const dropped = resultsNotAskedFor(db, {
    services: [...requiredSubjects(site)],
    checks: site.checks,
    beforeMs: nowMs - ONCE_ASKED_MS,
    limit: MAX_ROWS,
  });
  for (const key of dropped) {
    const { source, check, subject } = key;
    const incident = openIncidentOf(db, key);
    if (incident !== undefined) {
      const resolved = {
        ...incident,
        state: 'resolved' as const,
        reason: 'This is no longer required: the site configuration does not name it any more.',
        nextStep: 'Nothing to do.',
        changedAtMs: nowMs,
        resolvedAtMs: nowMs,
      };
      updateIncident(db, resolved);
      const body = toIncidentChange(resolved);
      changes.append(db, { kind: 'incident_resolved', refId: incident.id, body, atMs: nowMs });
    }
    deleteLatestResult(db, key);
    const body = { type: 'check_gone', agentId: agentIdOf(source), check, subject, atMs: nowMs } as const;
    changes.append(db, { kind: 'result_gone', refId: `${source}|${check}|${subject}`, body, atMs: nowMs });
  }
  return { dropped, hasMore: dropped.length === MAX_ROWS };
}
