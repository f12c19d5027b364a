import { EvidencePredicate, logOrigin } from '@sitewarden/agent-proto/evidence';
import { compile } from '@sitewarden/agent-proto/http';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { bootId } from '@sitewarden/kit/time';
import { applianceErrors } from '../errors.ts';
import type { EvidenceKey } from '../identity/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { lazily } from '../lib/lazily.ts';
import type { TimeQuality } from '../lib/relay-clock.ts';
import { type ChangeRow, changes, createStage, evidence, type Marks, readCursor, state } from '../store/index.ts';
import { draftOf, type EntryMoment, subjectsOf, unfitDraft } from './draft.ts';
import { type EntryDraft, piecesOf } from './entry-text.ts';
import { type LogWriter, openLog } from './log.ts';

export { CHECKPOINT_EVERY } from './log.ts';

/** Each takes a signature's time; more in one go would hold up the sockets. */
const ROWS_PER_TURN = 100;

export interface EvidenceSnapshot {
  readonly epoch: number;
  readonly size: number;
  readonly cosignedSize: number;
  readonly lastEntryAtMs: number | null;
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
  /** Told how long the log is, after each commit. */
  readonly marks?: Pick<Marks, 'raiseEvidence'>;
  /** Signed entries that are gone: appending would fork the log, so it stands still until staff begin a new epoch. */
  readonly lostEntries?: number;
}

/** Turns changes into signed, chained entries. Until the box is claimed they wait: entry 0 is the claim. */
export function createEvidence({ ctx, evk, timeQuality, marks, lostEntries = 0 }: EvidenceOptions): Evidence {
  const { db, clock, log, metrics } = ctx;
  const validator = lazily(() => compile(EvidencePredicate));
  let writer: LogWriter | undefined;
  const isHalted = lostEntries > 0;
  if (isHalted)
    log.error({ lostEntries }, 'signed entries are gone; the log stands still until staff begin a new epoch');

  function openWriter(): LogWriter | undefined {
    if (isHalted) return undefined;
    if (writer !== undefined) return writer;
    const claim = state.get(db, 'claim');
    if (claim?.phase !== 'claimed' && claim?.phase !== 'granted') return undefined;
    const { relayHost, applianceId, epoch } = claim.site;
    writer = openLog(db, { origin: logOrigin(relayHost, applianceId, epoch), evk });
    return writer;
  }

  function fitting(change: ChangeRow, moment: EntryMoment): EntryDraft | undefined {
    const draft = draftOf(change, moment);
    if (draft === undefined) return undefined;
    const valid = validator()({ ...draft, seq: 0, prev: '' });
    if (valid.ok) return draft;
    log.error({ changeId: change.id, kind: change.kind, field: valid.field }, 'a change does not fit into evidence');
    return unfitDraft(change, moment, `${valid.field} ${valid.detail}`);
  }

  function append(to: LogWriter, change: ChangeRow, moment: EntryMoment): void {
    const draft = fitting(change, moment);
    if (draft === undefined) return;
    const seq = to.append({ kind: draft.kind, pieces: piecesOf(draft), atMs: change.atMs });
    const { incidentId, runId } = subjectsOf(change);
    if (incidentId !== undefined) evidence.markIncident(db, incidentId, seq);
    if (runId !== undefined) evidence.markActionRun(db, runId, seq);
  }

  function run(rows: readonly ChangeRow[]): void {
    const to = writer!;
    const moment: EntryMoment = {
      bootId: bootId(),
      // Since the kernel's boot, as the boot id beside it; a process's own clock would start anew with it.
      monotonicMs: Math.floor(Number(process.hrtime.bigint() / 1_000_000n)),
      timeQuality: timeQuality(),
    };
    to.rollback();
    if (to.size === 0) {
      const claim = changes.firstOf(db, 'claimed');
      if (claim === undefined) throw applianceErrors.make('INTERNAL', { detail: 'There is no claim to begin with' });
      append(to, claim, moment);
    }
    for (const row of rows) if (row.kind !== 'claimed') append(to, row, moment);
  }

  const stage = createStage<ChangeRow>({
    name: 'evidence',
    ctx,
    batch: ROWS_PER_TURN,
    wakeOn: ['change', 'claimed'],
    read: (_db, afterId, limit) => (openWriter() === undefined ? [] : changes.since(db, afterId, { limit })),
    run,
    onCommitted() {
      writer?.commit();
      marks?.raiseEvidence(writer?.size ?? 0);
      metrics.evidenceSize.set(writer?.size ?? 0);
      ctx.signals.emit('outbox');
    },
  });

  return {
    ...stage,
    snapshot() {
      const claim = state.get(db, 'claim');
      const last = evidence.lastLeaf(db);
      return {
        epoch: claim?.phase === 'claimed' || claim?.phase === 'granted' ? claim.site.epoch : 1,
        size: last === undefined ? 0 : last.seq + 1,
        cosignedSize: evidence.lastCosigned(db)?.size ?? 0,
        lastEntryAtMs: last?.atMs ?? null,
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
