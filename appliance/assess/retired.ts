import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import {
  changes,
  type Incident,
  openIncidentsOfRemovedAgents,
  toIncidentChange,
  updateIncident,
} from '../store/index.ts';

const MAX_ROWS = 200;

/** Nobody will ever report on a removed agent again: its incidents end here. Answers whether more are left. */
export function resolveRetired(db: SqliteDatabase, nowMs: number): boolean {
  const retired = openIncidentsOfRemovedAgents(db, MAX_ROWS);
  for (const incident of retired) {
    const resolved: Incident = {
      ...incident,
      state: 'resolved',
      reason: 'The agent of this computer was removed from the site, so nothing is known about it any more.',
      nextStep: 'Nothing to do.',
      changedAtMs: nowMs,
      resolvedAtMs: nowMs,
    };
    updateIncident(db, resolved);
    const body = toIncidentChange(resolved);
    changes.append(db, { kind: 'incident_resolved', refId: incident.id, body, atMs: nowMs });
  }
  return retired.length === MAX_ROWS;
}
