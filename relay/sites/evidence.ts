import { parseVkey, verifyCosignature } from '@sitewarden/agent-proto/note';
import { type KeyChain, keyInForce } from '@sitewarden/agent-proto/rotation';
import { relayErrors } from '../errors.ts';
import { evidenceState } from '../fleet/index.ts';
import type { CosignPurpose, RelayKeyring } from '../keys/index.ts';
import type { Tx } from '../store/index.ts';
import {
  type EvidenceLog,
  type LogRef,
  listEntries,
  readEnvelope,
  readKeyTurns,
  readLog,
} from '../store/repositories/evidence.ts';
import { storedInclusion } from '../witness/index.ts';
import { assertSite } from './assert-site.ts';
import { findSiteLog } from './site-logs.ts';

const DEFAULT_LIMIT = 50;

async function logOf(trx: Tx, { siteId, log }: { siteId: string; log?: string | undefined }) {
  await assertSite(trx, siteId);
  const found = await findSiteLog(trx, { siteId, log });
  return { ...found, log: found.key && (await readLog(trx, found.key)) };
}

/** The log of the box at a site, or one of before named by `log`, newest entry first. Throws NOT_FOUND. */
export async function listSiteEvidence(
  trx: Tx,
  siteId: string,
  wish: { log?: string | undefined; before?: number | undefined; limit?: number; nowMs: number },
) {
  const { before, limit = DEFAULT_LIMIT, nowMs } = wish;
  const { logs, key, log } = await logOf(trx, { siteId, log: wish.log });
  const state = evidenceState(log && key ? { ...log, epoch: key.epoch } : null, nowMs);
  const stored = key ? await listEntries(trx, key, { limit, ...(before === undefined ? {} : { before }) }) : [];
  const entries = stored.map((entry) => ({
    seq: entry.seq,
    kind: entry.kind,
    actor: entry.actor,
    text: entry.outcomeText,
    outcome: entry.outcomeCode,
    wallTimeMs: entry.wallTimeMs,
    receivedAtMs: entry.receivedAtMs,
    leafHash: entry.leafHash,
    cosigned: entry.seq < (log?.cosignedSize ?? 0),
  }));
  const last = entries.at(-1)?.seq ?? 0;
  return { state, logs, entries, nextBefore: last > 0 ? last : null, asOfMs: nowMs };
}

/** One entry with all a stranger needs to verify it. Throws NOT_FOUND, also while no cosignature covers the entry. */
export async function proveEntry(
  trx: Tx,
  keys: Pick<RelayKeyring, 'vkey' | 'formerVkeys'>,
  { siteId, seq, log: wanted }: { siteId: string; seq: number; log?: string | undefined },
) {
  const { key, log, firstKey } = await logOf(trx, { siteId, log: wanted });
  if (key === undefined || log === undefined) throw relayErrors.make('NOT_FOUND');
  const envelope = await readEnvelope(trx, key, seq);
  if (envelope === undefined) throw relayErrors.make('NOT_FOUND', { detail: `There is no entry ${seq}` });
  assertProvable(log, seq);
  const proof = await storedInclusion(trx, key, { index: seq, size: log.cosignedSize });
  const turns = await readKeyTurns(trx, key);
  const chain: KeyChain = { first: await firstKey(), turns };
  return {
    origin: log.origin,
    seq,
    envelope,
    treeSize: log.cosignedSize,
    inclusionProof: proof.map((hash) => Buffer.from(hash).toString('base64')),
    checkpoint: log.checkpoint,
    evidenceKey: keyInForce(chain, seq),
    checkpointKey: keyInForce(chain, log.cosignedSize),
    firstKey: chain.first,
    transitions: await transitionsOf(trx, key, { turns, size: log.cosignedSize }),
    witnessKeys: [...signersOf(keys, 'witness', log.checkpoint), ...signersOf(keys, 'mirror', log.checkpoint)],
  };
}

/** The verifier keys whose lines the checkpoint carries: it may be from before a change of the relay's keys. */
function signersOf(
  keys: Pick<RelayKeyring, 'vkey' | 'formerVkeys'>,
  purpose: CosignPurpose,
  checkpoint: string,
): string[] {
  return [keys.vkey(purpose), ...keys.formerVkeys(purpose)].filter((vkey) => {
    try {
      verifyCosignature(checkpoint, parseVkey(vkey));
      return true;
    } catch {
      return false;
    }
  });
}

/** How the keys of this entry and of the checkpoint follow from the first one, each as provable as the entry itself. */
function transitionsOf(trx: Tx, key: LogRef, { turns, size }: { turns: KeyChain['turns']; size: number }) {
  const covered = turns.filter(({ seq }) => seq < size);
  return Promise.all(
    covered.map(async ({ seq }) => {
      const proof = await storedInclusion(trx, key, { index: seq, size });
      const envelope = (await readEnvelope(trx, key, seq)) ?? '';
      return { seq, envelope, inclusionProof: proof.map((hash) => Buffer.from(hash).toString('base64')) };
    }),
  );
}

function assertProvable({ cosignedSize, receivedSize }: EvidenceLog, seq: number): void {
  if (seq >= cosignedSize) {
    throw relayErrors.make('NOT_FOUND', {
      detail: `Entry ${seq} is not cosigned yet, so there is no proof of it. Try again after the next check-in of the box`,
    });
  }
  if (receivedSize < cosignedSize) {
    throw relayErrors.make('NOT_FOUND', {
      detail: `The box still has to send ${cosignedSize - receivedSize} entries below the cosigned size. Try again later`,
    });
  }
}
