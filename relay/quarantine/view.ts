import type { CheckinRequest } from '@sitewarden/agent-proto/http';
import type { Tx } from '../store/index.ts';
import { listSightings, quarantinedSince } from '../store/repositories/sightings.ts';
import { readCurrentBox } from '../store/repositories/sites.ts';
import { type Difference, differencesOf } from './differences.ts';

const MAX_DIFFERENCES = 50;

export interface Machine {
  bootId: string;
  /** Empty when it is not known. */
  address: string;
  hostname: string;
  /** It says itself that its place in the chain was damaged on disk or is gone, so it may be no copy at all. */
  hasLostChain: boolean;
  firstSeenMs: number;
  lastSeenMs: number;
}

export interface QuarantineView {
  /** Null when the site has no box. */
  applianceId: string | null;
  isQuarantined: boolean;
  sinceMs: number | null;
  machines: Machine[];
  differences: Difference[];
  asOfMs: number;
}

/** Which machines use the identity of the box of a site, and what tells them apart. */
export async function quarantineOf(trx: Tx, siteId: string, nowMs: number): Promise<QuarantineView> {
  const box = await readCurrentBox(trx, siteId);
  const isQuarantined = box?.state === 'quarantined';
  if (box === undefined || !isQuarantined) {
    return { applianceId: box?.id ?? null, isQuarantined, sinceMs: null, machines: [], differences: [], asOfMs: nowMs };
  }
  const sightings = await listSightings(trx, box.id);
  const bodies = sightings.map(({ body }) => JSON.parse(body) as CheckinRequest);
  const machines = sightings.map(({ bootId, address, firstSeenMs, atMs }, index) => ({
    bootId,
    address,
    hostname: String(bodies[index]?.telemetry.hostname ?? '').slice(0, 256),
    hasLostChain: bodies[index]?.telemetry.checkin_chain_lost === true,
    firstSeenMs,
    lastSeenMs: atMs,
  }));
  return {
    applianceId: box.id,
    isQuarantined,
    sinceMs: await quarantinedSince(trx, box.id),
    machines,
    differences: differencesOf(bodies).slice(0, MAX_DIFFERENCES),
    asOfMs: nowMs,
  };
}
