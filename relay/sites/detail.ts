import { type CheckinRequest, LANES } from '@sitewarden/agent-proto/http';
import { relayErrors } from '../errors.ts';
import type { Tx } from '../store/index.ts';
import { countDevices } from '../store/repositories/devices.ts';
import { type LaneLossSum, laneLossesOfSite } from '../store/repositories/lane-losses.ts';
import { type CurrentBox, readCurrentBox, readSite, readSiteFacts } from '../store/repositories/sites.ts';
import { judgeSite } from './facts.ts';
import { summarize } from './list.ts';

/** Everything of the header of one site's page. Throws NOT_FOUND. */
export async function readSiteDetail(trx: Tx, siteId: string, nowMs: number) {
  const [row] = await readSiteFacts(trx, { siteId });
  const site = await readSite(trx, siteId);
  if (row === undefined || site === undefined) throw relayErrors.make('NOT_FOUND');
  const [summary] = await summarize(trx, [judgeSite(row, nowMs)], nowMs);
  const box = await readCurrentBox(trx, siteId);
  return {
    summary: summary as NonNullable<typeof summary>,
    appliance: box
      ? applianceView(box, {
          configWanted: site.configGeneration,
          absentRows: await laneLossesOfSite(trx, siteId),
        })
      : null,
    deviceCount: box ? await countDevices(trx, box.id) : 0,
    agentTier: site.agentTier,
    requiredServices: site.requiredServices,
    asOfMs: nowMs,
  };
}

/** The box and what it last said of itself; zeros and `unknown` until it has said something. */
function applianceView(
  box: CurrentBox,
  { configWanted, absentRows }: { configWanted: number; absentRows: LaneLossSum[] },
) {
  const said = box.live ? (JSON.parse(box.live.body) as CheckinRequest) : null;
  const none = { depth: 0, oldestAgeMs: 0 };
  return {
    id: box.id,
    serial: box.serial,
    model: box.model,
    state: box.state,
    dikFingerprint: box.dikFingerprint,
    epoch: box.epoch,
    claimedAtMs: box.claimedAtMs,
    claimedBy: box.claimedBy,
    lastCheckinAtMs: box.live?.lastCheckinAtMs ?? null,
    versions: said?.versions ?? { appliance: '', node: '', os: '' },
    telemetry: said?.telemetry ?? {},
    lanes: Object.fromEntries(LANES.map((lane) => [lane, said?.lanes[lane] ?? none])) as Record<
      (typeof LANES)[number],
      typeof none
    >,
    losses: said?.losses ?? [],
    absentRows,
    disk: said?.disk ?? { totalBytes: 0, freeBytes: 0 },
    clock: { quality: said?.clock.quality ?? 'unknown', offsetMs: box.live?.clockOffsetMs ?? 0 },
    configGeneration: said?.configGeneration ?? 0,
    configWanted,
  };
}
