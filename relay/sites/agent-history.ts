import { relayErrors } from '../errors.ts';
import { agentStatus, fleetStatus } from '../fleet/index.ts';
import { timelinesOf } from '../history/index.ts';
import type { Tx } from '../store/index.ts';
import { listAgents } from '../store/repositories/agents.ts';
import { plainText } from '../store/repositories/bulk.ts';
import { listChanges } from '../store/repositories/check-history.ts';
import { listChecks } from '../store/repositories/checks.ts';
import { readCurrentBox } from '../store/repositories/sites.ts';
import { assertSite } from './assert-site.ts';

const DAY_MS = 86_400_000;
/** Six checks that each change 8 times a day for 90 days. */
const MAX_CHANGES = 5000;

/** How the checks of one workstation went. Throws NOT_FOUND, also for an agent of another site or a removed one. */
export async function agentHistory(
  trx: Tx,
  { siteId, agentId, days, nowMs }: { siteId: string; agentId: string; days: number; nowMs: number },
) {
  await assertSite(trx, siteId);
  const current = await readCurrentBox(trx, siteId);
  const agent = current && (await listAgents(trx, current.id)).find(({ id }) => id === agentId);
  if (current === undefined || agent === undefined) {
    throw relayErrors.make('NOT_FOUND', { field: '/agentId', detail: 'This site has no such agent' });
  }
  const changes = await listChanges(trx, { applianceId: current.id, agentId, limit: MAX_CHANGES });
  // Results of before the history was kept stand only among the latest.
  const latest = (await listChecks(trx, current.id))
    .filter(({ source }) => source === agentId)
    .map(({ row }) => ({ ...row, subject: plainText(row.subject) }));
  const known = new Set(changes.map(({ check, subject }) => `${check} ${subject}`));
  const older = latest
    .filter(({ check, subject }) => !known.has(`${check} ${subject}`))
    .map((row) => ({ ...row, agentId, fromMs: row.sinceMs }));
  const box = fleetStatus({ lastCheckinAtMs: current.live?.lastCheckinAtMs ?? null, nowMs });
  const clockOffsetMs = current.live?.clockOffsetMs ?? 0;
  const status = agentStatus({ ...agent, box, clockOffsetMs, nowMs });
  const heard = [nowMs - (status.ageMs ?? nowMs), ...latest.map(({ receivedAtMs }) => receivedAtMs)];
  const heardMs = status.value === 'online' ? nowMs : Math.max(...heard);
  const fromMs = nowMs - days * DAY_MS;
  return {
    agentId,
    fromMs,
    checks: timelinesOf([...changes, ...older], { fromMs, toMs: nowMs, heardMs }),
    isCut: changes.length === MAX_CHANGES,
    asOfMs: nowMs,
  };
}
