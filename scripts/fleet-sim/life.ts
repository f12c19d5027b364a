import { setTimeout as delay } from 'node:timers/promises';
import { BOX_PATHS, type CheckinRequest, type CheckinResponse, LANES } from '@sitewarden/agent-proto/http';
import { json, outboxBody, Refused, type SimBox } from './box.ts';
import { logIncident, telemetryRows } from './rows.ts';
import type { Tally } from './tally.ts';

/** Either way, as CHECKIN/1 says. */
const JITTER = 0.1;
const DEFAULT_INTERVAL_MS = 60_000;
/** Share of check-ins after which something is logged, and telemetry is sent. */
const INCIDENT_SHARE = 0.1;
const TELEMETRY_SHARE = 0.25;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

export interface LifeOptions {
  readonly intervalMs: number | undefined;
  readonly tally: Tally;
  readonly signal: AbortSignal;
  readonly random: () => number;
}

/** Checks in until the signal, or until the relay says 401 or 403. Never rejects. */
export async function live(box: SimBox, options: LifeOptions): Promise<void> {
  const { intervalMs, tally, signal, random } = options;
  let token: string | null = null;
  let counter = 0;
  // A check-in without an answer is repeated byte for byte: another body on the same token would look like a clone.
  let pending: Buffer | undefined;
  let failures = 0;
  let askedMs = intervalMs ?? DEFAULT_INTERVAL_MS;
  // The first one at any moment of the interval: boxes were not switched on together.
  let waitMs = random() * askedMs;
  while (await rest(waitMs, signal)) {
    if (pending === undefined) {
      counter += 1;
      pending = json(checkinOf(box, { counter, token, nowMs: Date.now() }));
    }
    const fromMs = performance.now();
    tally.sent(fromMs);
    try {
      const answer = JSON.parse((await box.send(BOX_PATHS.checkin, pending)).text) as CheckinResponse;
      tally.answered(performance.now() - fromMs);
      token = answer.token;
      pending = undefined;
      failures = 0;
      askedMs = intervalMs ?? answer.nextCheckinMs;
      await pushNews(box, options);
      waitMs = askedMs * (1 + JITTER * (2 * random() - 1)) - (performance.now() - fromMs);
    } catch (error) {
      tally.refused(error instanceof Refused ? error.code : 'NO_ANSWER');
      if (error instanceof Refused && (error.status === 401 || error.status === 403)) return;
      failures += 1;
      const atLeastMs = error instanceof Refused ? 1000 * (error.retryAfterS ?? 0) : 0;
      // Full jitter after the cap, so that boxes do not come back together.
      waitMs = atLeastMs + random() * Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    }
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  return await delay(Math.max(0, ms), true, { signal }).catch(() => false);
}

/** What the box has to tell goes out after its check-in; failures are counted and tried again next time. */
async function pushNews(box: SimBox, { tally, random }: LifeOptions): Promise<void> {
  try {
    if (random() < INCIDENT_SHARE) logIncident(box, Date.now());
    if (box.log.sentSize < box.log.size) await pushEvidence(box, tally);
    if (random() < TELEMETRY_SHARE) await pushTelemetry(box, tally, random);
  } catch (error) {
    tally.failedPush(error instanceof Refused ? error.code : 'NO_ANSWER');
  }
}

async function pushEvidence(box: SimBox, tally: Tally): Promise<void> {
  const { log, grant } = box;
  const rows = log.unsent();
  await box.send(BOX_PATHS.outbox, outboxBody('evidence', grant.epoch, log.sentSize + 1, rows), 'application/x-ndjson');
  log.sentSize += rows.length;
  tally.pushed('evidence', rows.length);
  await box.send(BOX_PATHS.checkpoint, log.addCheckpoint(), 'text/plain');
  log.cosignedSize = log.size;
  tally.cosigned();
}

async function pushTelemetry(box: SimBox, tally: Tally, random: () => number): Promise<void> {
  const rows = telemetryRows(box, Date.now(), random);
  const body = outboxBody('telemetry', box.grant.epoch, box.telemetrySeq + 1, rows);
  await box.send(BOX_PATHS.outbox, body, 'application/x-ndjson');
  box.telemetrySeq += rows.length;
  tally.pushed('telemetry', rows.length);
}

function checkinOf(
  box: SimBox,
  { counter, token, nowMs }: { counter: number; token: string | null; nowMs: number },
): CheckinRequest {
  const { log, grant } = box;
  const lanes = Object.fromEntries(
    LANES.map((lane) => [lane, { depth: 0, oldestAgeMs: 0 }]),
  ) as CheckinRequest['lanes'];
  return {
    counter,
    bootId: box.bootId,
    previousToken: token,
    timeNonce: null,
    versions: { appliance: '0.1.0', node: process.version, os: 'simulated' },
    configGeneration: 1,
    telemetry: { cpu_percent: 5, memory_used_bytes: 800_000_000 },
    lanes: { ...lanes, evidence: { depth: log.size - log.sentSize, oldestAgeMs: 0 } },
    agents: { total: 1, connected: 1, failing: 0 },
    devices: 0,
    incidentsOpen: 0,
    evidence: { epoch: grant.epoch, size: log.size, cosignedSize: log.cosignedSize },
    disk: { totalBytes: 64_000_000_000, freeBytes: 41_000_000_000 },
    clock: { nowMs, quality: 'synced' },
  };
}
