import {
  appendSignatures,
  parseAddCheckpoint,
  parseCheckpoint,
  parseNote,
  verifierOf,
  verifyNoteAsync,
} from '@sitewarden/agent-proto/note';
import { keyInForce } from '@sitewarden/agent-proto/rotation';
import type { Clock } from '@sitewarden/kit/time';
import { relayErrors } from '../errors.ts';
import { noteFault } from '../ingest/index.ts';
import type { RelayKeyring } from '../keys/index.ts';
import type { Box } from '../lib/identity.ts';
import type { LiveBus } from '../live/index.ts';
import type { Store, Tx } from '../store/index.ts';
import {
  clearFault,
  type EvidenceLog,
  type LogKey,
  moveCosigned,
  readKeyTurns,
  readLog,
} from '../store/repositories/evidence.ts';
import { readAppliance } from '../store/repositories/outbox.ts';
import { judgeCheckpoint, type Submitted } from './judge.ts';
import type { WitnessMetrics } from './metrics.ts';
import { storedRoot } from './stored-tree.ts';

export interface WitnessDeps {
  store: Store;
  clock: Clock;
  keys: Pick<RelayKeyring, 'cosign'>;
  bus: LiveBus;
  metrics: WitnessMetrics;
}

export interface WitnessService {
  /**
   * C2SP tlog-witness add-checkpoint for the log of one box. Answers the cosignature lines: witness, and mirror when
   * every entry is stored here and gives the same root. Throws CHECKPOINT_* (CONFLICT carries `data.size`).
   */
  addCheckpoint(box: Box, body: Buffer): Promise<string>;
}

/** A box that was set back. */
const ROLLBACK = 'EVIDENCE_ROLLBACK';
/** Taken back by the next checkpoint that follows from the cosigned one: then the log is whole. */
const PASSING = [ROLLBACK, 'CHECKPOINT_PROOF'];
/** One size with two roots, or a root that is not that of the entries sent. Never taken back. */
const FORK = 'EVIDENCE_FORK';

type Parsed = Submitted & { origin: string; checkpoint: string };
type Outcome =
  | { kind: 'cosigned'; lines: string }
  | { kind: 'refused'; error: Error; fault?: { code: string; message: string } };

export function createWitnessService({ store, clock, keys, bus, metrics }: WitnessDeps): WitnessService {
  async function run(box: Box, body: Buffer): Promise<string> {
    const submitted = parse(body);
    const key = { applianceId: box.applianceId, partnerId: box.partnerId, epoch: box.epoch };
    const { log, turns } = await store.inTenant(box.partnerId, async (trx) => ({
      log: await readLog(trx, key),
      turns: await readKeyTurns(trx, key),
    }));
    if (log === undefined || log.origin !== submitted.origin) throw relayErrors.make('CHECKPOINT_ORIGIN');
    await verifySignature(submitted, keyInForce({ first: box.evk, turns }, submitted.size));
    const nowMs = clock.nowMs();
    const outcome = await store.inTenant(box.partnerId, (trx) => decide(trx, key, { submitted, nowMs }));
    if (outcome.kind === 'cosigned') {
      publish(box, nowMs);
      return outcome.lines;
    }
    const { fault } = outcome;
    if (fault) {
      // Its own transaction: a refusal changes nothing else.
      await store.inTenant(box.partnerId, (trx) =>
        noteFault(
          trx,
          { ...key, siteId: box.siteId },
          { ...fault, atMs: nowMs, detail: { checkpoint: submitted.checkpoint, cosigned: log.checkpoint } },
        ),
      );
      publish(box, nowMs);
    }
    throw outcome.error;
  }

  /** Checks against the head as it is now and moves it, or says why not. The signatures leave only after the commit. */
  async function decide(
    trx: Tx,
    key: LogKey,
    { submitted, nowMs }: { submitted: Parsed; nowMs: number },
  ): Promise<Outcome> {
    await assertInService(trx, key);
    const log = await readLog(trx, key);
    if (log === undefined) throw relayErrors.make('CHECKPOINT_ORIGIN');
    const head = { size: log.cosignedSize, root: log.cosignedRoot };
    const verdict = judgeCheckpoint(head, submitted);
    if (verdict.kind === 'malformed') return refused('CHECKPOINT_FORMAT', { detail: verdict.detail });
    if (verdict.kind === 'fork') return forked(verdict.detail, head.size);
    if (verdict.kind === 'conflict') {
      const conflict = refused('CHECKPOINT_CONFLICT', { data: { size: verdict.size } });
      if (!verdict.isRollback) return conflict;
      const message = `The box signed size ${submitted.size}, below the cosigned size ${head.size}`;
      return { ...conflict, fault: { code: ROLLBACK, message } };
    }
    if (verdict.kind === 'unproved') {
      const message = `The proof from size ${head.size} to ${submitted.size} does not hold`;
      return { ...refused('CHECKPOINT_PROOF', {}), fault: { code: 'CHECKPOINT_PROOF', message } };
    }
    const isMirrored = log.receivedSize >= submitted.size;
    if (isMirrored && !(await isOwnRoot(trx, key, submitted))) {
      return forked(`The checkpoint of size ${submitted.size} has another root than the entries received`, head.size);
    }
    const lines = cosign(submitted.checkpoint, isMirrored, nowMs);
    const to = {
      size: submitted.size,
      root: Buffer.from(submitted.root).toString('hex'),
      checkpoint: appendSignatures(submitted.checkpoint, lines),
      atMs: nowMs,
    };
    if (!(await moveCosigned(trx, key, { from: head, to }))) return lostRace(trx, key);
    if (log.fault) await clearFault(trx, key, PASSING);
    return { kind: 'cosigned', lines };
  }

  function cosign(checkpoint: string, isMirrored: boolean, nowMs: number): string {
    const timestampS = Math.floor(nowMs / 1000);
    const witness = keys.cosign('witness', checkpoint, timestampS);
    return isMirrored ? witness + keys.cosign('mirror', checkpoint, timestampS) : witness;
  }

  function publish(box: Box, atMs: number): void {
    if (bus.hasListeners(box.partnerId)) bus.publish(box.partnerId, { kind: 'evidence', siteId: box.siteId, atMs });
  }

  return {
    async addCheckpoint(box, body) {
      try {
        const lines = await run(box, body);
        metrics.checkpoint('cosigned');
        return lines;
      } catch (error) {
        metrics.checkpoint(relayErrors.is(error) ? error.code : 'INTERNAL');
        throw error;
      }
    },
  };
}

function parse(body: Buffer): Parsed {
  try {
    const { oldSize, proof, checkpoint } = parseAddCheckpoint(body);
    const { origin, size, rootHash } = parseCheckpoint(parseNote(checkpoint).text);
    return { oldSize, proof, checkpoint, origin, size, root: rootHash };
  } catch (error) {
    throw relayErrors.make('CHECKPOINT_FORMAT', { detail: (error as Error).message });
  }
}

async function verifySignature({ checkpoint, origin }: Parsed, evk: string): Promise<void> {
  try {
    await verifyNoteAsync(checkpoint, [verifierOf({ name: origin, publicKey: evk })]);
  } catch (error) {
    throw relayErrors.make('CHECKPOINT_SIGNATURE', { detail: (error as Error).message });
  }
}

async function assertInService(trx: Tx, key: LogKey): Promise<void> {
  const appliance = await readAppliance(trx, key.applianceId);
  if (appliance === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
  if (appliance.state === 'revoked') throw relayErrors.make('APPLIANCE_REVOKED');
  if (appliance.state !== 'active') throw relayErrors.make('APPLIANCE_QUARANTINED');
  // The caller's cached epoch may be seconds old; the log of an epoch that ended is not cosigned any more.
  if (appliance.epoch !== key.epoch) throw relayErrors.make('CHECKPOINT_ORIGIN');
}

async function isOwnRoot(trx: Tx, key: LogKey, { size, root }: Submitted): Promise<boolean> {
  return Buffer.compare(await storedRoot(trx, key, size), root) === 0;
}

async function lostRace(trx: Tx, key: LogKey): Promise<Outcome> {
  const log = (await readLog(trx, key)) as EvidenceLog;
  return refused('CHECKPOINT_CONFLICT', { data: { size: log.cosignedSize } });
}

function refused(
  code: 'CHECKPOINT_CONFLICT' | 'CHECKPOINT_FORMAT' | 'CHECKPOINT_PROOF',
  options: { detail?: string; data?: Readonly<Record<string, unknown>> },
): Extract<Outcome, { kind: 'refused' }> {
  return { kind: 'refused', error: relayErrors.make(code, options) };
}

function forked(message: string, size: number): Outcome {
  const error = relayErrors.make('CHECKPOINT_CONFLICT', { detail: message, data: { size } });
  return { kind: 'refused', error, fault: { code: FORK, message } };
}
