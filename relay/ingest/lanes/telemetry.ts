import {
  AgentRow,
  CheckGoneRow,
  CheckRow,
  DeviceRow,
  RmmRow,
  type TelemetryLaneRow,
} from '@sitewarden/agent-proto/http';
import { keepChanges } from '../../history/index.ts';
import { storeRmm, upsertAgents } from '../../store/repositories/agents.ts';
import { storeChecks } from '../../store/repositories/checks.ts';
import { upsertDevices } from '../../store/repositories/devices.ts';
import type { LaneHandler } from '../types.ts';
import { rowReader } from './json.ts';

/** Agents, what they found, latest check results and devices as the box knows them. */
export function createTelemetryLane(): LaneHandler {
  const read = rowReader<TelemetryLaneRow>({
    agent: AgentRow,
    check: CheckRow,
    check_gone: CheckGoneRow,
    device: DeviceRow,
    rmm: RmmRow,
  });
  return {
    changes: ['agents', 'devices', 'site'],
    async prepare(_box, batch) {
      const rows = read(batch);
      return {
        async apply(trx, place, { ackedThrough, nowMs }) {
          const fresh = rows.slice(ackedThrough + 1 - batch.firstSeq);
          const owner = { ...place, receivedAtMs: nowMs };
          await upsertAgents(
            trx,
            owner,
            fresh.filter((row) => row.type === 'agent'),
          );
          await storeRmm(
            trx,
            owner,
            fresh.filter((row) => row.type === 'rmm'),
          );
          const checks = fresh.filter((row) => row.type === 'check' || row.type === 'check_gone');
          await keepChanges(trx, owner, checks);
          await storeChecks(trx, owner, checks);
          await upsertDevices(
            trx,
            owner,
            fresh.filter((row) => row.type === 'device'),
          );
        },
      };
    },
  };
}
