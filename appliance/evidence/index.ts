import { logOrigin } from '@sitewarden/agent-proto/evidence';
import { isTransitionSigned } from '@sitewarden/agent-proto/rotation';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { bootId } from '@sitewarden/kit/time';
import { applianceErrors } from '../errors.ts';
import type { EvidenceKey } from '../identity/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import type { TimeQuality } from '../lib/relay-clock.ts';
import type { KeyRotatedBody } from '../store/changes.ts';
import {
  advanceCursor,
  type ChangeRow,
  changes,
  countLoss,
  evidence,
  type Marks,
  noteTurn,
  readCursor,
  stageOf,
  state,
} from '../store/index.ts';
import { type ChainPlace, type SignedEntry, signChain } from './chain.ts';
import { createChainThread } from './chain-thread.ts';
import { type EntryMoment, isEvidence, subjectsOf } from './draft.ts';
import { createFitter, type FittedEntry } from './fit.ts';
import { type LogWriter, openLog } from './log.ts';

export { CHECKPOINT_EVERY } from './log.ts';

/** Each takes a signature's time, and the sockets wait for a turn. */
const ROWS_PER_TURN = 100;
/** When more is waiting than fits a turn, the other core signs; then a turn here only writes. */
const ROWS_PER_JOB = 500;

interface Prepared {
  /** Id of the last change of the batch. */
  readonly throughId: number;
  /** Changes, not all of which are evidence. */
  readonly count: number;
  readonly entries: readonly (FittedEntry & { readonly change: ChangeRow })[];
  /** Nothing follows it: it holds the entry that says that the box left, or comes after that one. */
  readonly isEnd: boolean;
}

export interface EvidenceSnapshot {
  readonly epoch: number;
  readonly size: number;
  readonly cosignedSize: number;
  readonly lastEntryAtMs: number | null;
  /** Changes that are not entries yet. */
  readonly waiting: number;
  /** Signed entries are gone, and no new one is written until the box is reset and claimed again. */
  readonly isHalted: boolean;
}

export interface Evidence extends LifecyclePart {
  wake(): void;
  /** Works off everything that waits. */
  settle(): Promise<void>;
  snapshot(): EvidenceSnapshot;
  /** Changes up to this id have their entries; while the log stands still nobody waits for it. */
  doneThrough(): number;
  /** Signs the tree as it stands when it grew since the last checkpoint. */
  checkpointNews(): void;
}

export interface EvidenceOptions {
  readonly ctx: ApplianceContext;
  readonly evk: EvidenceKey;
  timeQuality(): TimeQuality;
  /** Called right before the quality stops being `unsynced`. */
  onTimeTrusted?(listener: () => void): () => void;
  /** Told how long the log is, after each commit. */
  readonly marks?: Pick<Marks, 'raiseEvidence'>;
  /** Signed entries that are gone: appending would fork the log, so it stands still until the box is reset and claimed again. */
  readonly lostEntries?: number;
  /** The entry that hands over to the next key is in the log; nothing more is written until this starts anew with that key. */
  onKeyTurn?(): void;
}

/** Turns changes into signed, chained entries. Until the box is claimed they wait: entry 0 is the claim. */
export function createEvidence(options: EvidenceOptions): Evidence {
  const { ctx, evk, timeQuality, onTimeTrusted, marks, lostEntries = 0, onKeyTurn } = options;
  const { db, clock, log, metrics } = ctx;
  const fitted = createFitter({ keyId: evk.fingerprint, log });
  const thread = createChainThread(evk);
  let writer: LogWriter | undefined;
  let isStopping = false;
  /** Nothing follows the entry that says that the box left. */
  let isClosed = evidence.lastLeaf(db)?.kind === 'released';
  // A change is dated when it is made. Up to this one that was before the time was known, or in a process that is gone.
  let guessedThroughId = changes.lastId(db);
  const stopListening = onTimeTrusted?.(() => {
    guessedThroughId = changes.lastId(db);
  });
  const isHalted = lostEntries > 0;
  if (isHalted)
    log.error(
      { lostEntries },
      'signed entries are gone; the log stands still until the box is reset and claimed again',
    );

  /** This key signed its last entry. */
  function isTurned(): boolean {
    const turn = state.get(db, 'evk_turn');
    return turn?.phase === 'entered' && turn.newKey !== evk.publicKey;
  }

  function openWriter(): LogWriter | undefined {
    if (isHalted || isTurned()) return undefined;
    if (writer !== undefined) return writer;
    const claim = state.get(db, 'claim');
    if (claim?.phase !== 'claimed' && claim?.phase !== 'granted') return undefined;
    const { relayHost, applianceId, epoch } = claim.site;
    writer = openLog(db, { origin: logOrigin(relayHost, applianceId, epoch), evk });
    return writer;
  }

  /** A change of the key that was made for another log or from another key: nobody would take it. */
  function isForeignTurn({ kind, body }: ChangeRow, owner: string): boolean {
    if (kind !== 'evk_rotated') return false;
    const { oldKey, newKey, newSignature } = body as KeyRotatedBody;
    const isOurs =
      oldKey === evk.publicKey && isTransitionSigned({ key: 'evk', owner, oldKey, newKey }, 'new', newSignature);
    if (!isOurs) log.error({ newKey }, 'a change of the evidence key does not fit this log and is left out');
    return !isOurs;
  }

  /** `isOver`: the batch before it, which may not be stored yet, ends the log. */
  function begin(to: LogWriter, rows: readonly ChangeRow[], isOver = isClosed): Prepared {
    const moment: Omit<EntryMoment, 'timeQuality'> = {
      bootId: bootId(),
      // Since the kernel's boot, as the boot id beside it; a process's own clock would start anew with it.
      monotonicMs: Math.floor(Number(process.hrtime.bigint() / 1_000_000n)),
    };
    const quality = timeQuality();
    const claim = to.size === 0 ? changes.firstOf(db, 'claimed') : undefined;
    if (to.size === 0 && claim === undefined) throw applianceErrors.make('INTERNAL', { detail: 'There is no claim' });
    const { origin } = to.place;
    const end = rows.findIndex(({ kind }) => kind === 'released');
    const open = isOver ? [] : end < 0 ? rows : rows.slice(0, end + 1);
    const said = open.filter((row) => row.kind !== 'claimed' && !isForeignTurn(row, origin));
    const entries = (claim === undefined ? said : [claim, ...said]).flatMap((change) => {
      const at = { ...moment, timeQuality: change.id > guessedThroughId ? quality : ('unsynced' as const) };
      const entry = fitted(change, at, origin);
      return entry === undefined ? [] : [{ change, ...entry }];
    });
    return { throughId: rows.at(-1)!.id, count: rows.length, entries, isEnd: isOver || end >= 0 };
  }

  /** Leaves, tree, what they are about, and the cursor: one commit. */
  function write(to: LogWriter, { throughId, count, entries, isEnd }: Prepared, signed: readonly SignedEntry[]): void {
    const turn = entries.find(({ kind }) => kind === 'evk_rotated');
    withTransaction(db, () => {
      for (const [i, { change, kind }] of entries.entries()) {
        const seq = to.store({ kind, signed: signed[i]!, atMs: change.atMs });
        // What fits no entry has one that says so.
        if (kind === 'loss' && change.kind !== 'loss') {
          countLoss(db, { what: change.kind, code: 'EVIDENCE_SCHEMA', count: 1, atMs: change.atMs });
        }
        const { incidentId, runId } = subjectsOf(change);
        if (incidentId !== undefined) evidence.markIncident(db, incidentId, seq);
        if (runId !== undefined) evidence.markActionRun(db, runId, seq);
      }
      advanceCursor(db, 'evidence', throughId);
      if (turn !== undefined) {
        const { newKey } = turn.change.body as KeyRotatedBody;
        state.set(db, 'evk_turn', { value: { phase: 'entered', newKey }, atMs: clock.nowMs() });
      }
    });
    to.commit();
    isClosed = isEnd;
    noteTurn(db, 'evidence', { isGood: true, monotonicMs: clock.monotonicMs() });
    marks?.raiseEvidence(to.size);
    metrics.stageRows.inc({ stage: 'evidence' }, count);
    metrics.evidenceSize.set(to.size);
    ctx.signals.emit('outbox');
    if (turn !== undefined) onKeyTurn?.();
  }

  /** Up to a change of the key and no further: what comes after it is for the other key. */
  function read(afterId: number, limit: number): ChangeRow[] {
    const rows = changes.since(db, afterId, { limit });
    const turnAt = rows.findIndex(({ kind }) => kind === 'evk_rotated');
    return turnAt < 0 ? rows : rows.slice(0, turnAt + 1);
  }
  const endsInTurn = ({ entries }: Prepared) => entries.at(-1)?.kind === 'evk_rotated';
  const piecesOfAll = ({ entries }: Prepared) => entries.map(({ pieces }) => pieces);

  /** While one batch is written here, the next is being signed on the other core. */
  async function flood(to: LogWriter): Promise<void> {
    const prepare = (rows: readonly ChangeRow[], place?: ChainPlace, isOver?: boolean) => {
      const batch = begin(to, rows, isOver);
      const signed = thread.sign(place, piecesOfAll(batch)).catch((error: unknown) => {
        log.warn({ err: error }, 'the signing thread failed; this batch is signed where it stands');
        return undefined;
      });
      return { batch, signed };
    };
    let current = prepare(read(readCursor(db, 'evidence'), ROWS_PER_JOB), to.place);
    for (;;) {
      const rows = isStopping || endsInTurn(current.batch) ? [] : read(current.batch.throughId, ROWS_PER_JOB);
      const next = rows.length === 0 ? undefined : prepare(rows, undefined, current.batch.isEnd);
      const signed = (await current.signed) ?? signChain(evk, to.place, piecesOfAll(current.batch));
      write(to, current.batch, signed);
      if (next === undefined) return;
      current = next;
    }
  }

  async function turn(): Promise<boolean> {
    const to = openWriter();
    if (to === undefined) return false;
    // A turn that failed may have left leaves behind that are not stored.
    to.rollback();
    const rows = read(readCursor(db, 'evidence'), ROWS_PER_TURN);
    if (rows.length === 0) return false;
    const isFull = rows.length === ROWS_PER_TURN;
    if (isFull && to.size > 0 && rows.filter(({ kind }) => isEvidence(kind)).length >= ROWS_PER_TURN / 4) {
      await flood(to);
      return true;
    }
    const batch = begin(to, rows);
    write(to, batch, signChain(evk, to.place, piecesOfAll(batch)));
    return isFull;
  }

  const stage = stageOf({ name: 'evidence', ctx, wakeOn: ['change', 'claimed'] }, turn);

  return {
    ...stage,
    async stop() {
      isStopping = true;
      stopListening?.();
      await stage.stop();
      await thread.close();
    },
    snapshot() {
      const claim = state.get(db, 'claim');
      const last = evidence.lastLeaf(db);
      return {
        epoch: claim?.phase === 'claimed' || claim?.phase === 'granted' ? claim.site.epoch : 1,
        size: last === undefined ? 0 : last.seq + 1,
        cosignedSize: evidence.lastCosigned(db)?.size ?? 0,
        lastEntryAtMs: last?.atMs ?? null,
        waiting: changes.waiting(db, readCursor(db, 'evidence'), isEvidence).count,
        isHalted,
      };
    },
    doneThrough: () => (isHalted ? changes.lastId(db) : readCursor(db, 'evidence')),
    checkpointNews() {
      const size = evidence.size(db);
      if (size === 0 || evidence.lastCheckpoint(db)?.size === size) return;
      const to = openWriter();
      // A turn that failed may have left leaves behind that are not stored.
      to?.rollback();
      to?.checkpoint(clock.nowMs());
    },
  };
}
