import { ActionRunRow, IncidentRow, type IncidentsLaneRow } from '@sitewarden/agent-proto/http';
import { upsertActionRuns, upsertIncidents } from '../../store/repositories/incidents.ts';
import type { LaneHandler } from '../types.ts';
import { rowReader } from './json.ts';

/** What is wrong at a site and what was done about it. */
export function createIncidentsLane(): LaneHandler {
  const read = rowReader<IncidentsLaneRow>({ incident: IncidentRow, action_run: ActionRunRow });
  return {
    changes: ['incidents', 'site'],
    async prepare(_box, batch) {
      const rows = read(batch);
      return {
        async apply(trx, place, { ackedThrough, nowMs }) {
          const fresh = rows.slice(ackedThrough + 1 - batch.firstSeq);
          const owner = { ...place, receivedAtMs: nowMs };
          await upsertIncidents(
            trx,
            owner,
            fresh.filter((row) => row.type === 'incident'),
          );
          await upsertActionRuns(
            trx,
            owner,
            fresh.filter((row) => row.type === 'action_run'),
          );
        },
      };
    },
  };
}
