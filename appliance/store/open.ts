import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openHighWaterMark } from '@sitewarden/kit/files';
import { openOrSetAside, type SqliteDatabase } from '@sitewarden/kit/sqlite';
import { systemClock } from '@sitewarden/kit/time';
import { size as evidenceSize } from './evidence.ts';
import { noteLoss } from './losses.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { type Salvaged, salvage } from './salvage.ts';
import { rebuildTree } from './salvage-repair.ts';
import { restoreSite } from './site-file.ts';

export interface OpenedStore {
  readonly db: SqliteDatabase;
  readonly path: string;
  /** Where a damaged database was moved, and what was brought over from it. */
  readonly setAside?: { readonly path: string; readonly reason: string; readonly salvaged: Salvaged };
  /** Entries that were signed and are not here any more: the log must not go on, or it would fork. */
  readonly lostEvidence: number;
  readonly marks: Marks;
}

/** How far the store had come, told outside of it: SQLite cuts a damaged tail without a word. */
export interface Marks {
  raiseReport(id: number): void;
  raiseEvidence(size: number): void;
  close(): void;
}

export const DATABASE_FILE = 'appliance.db';

/** Opens `<dataDir>/appliance.db`. The caller holds the lock of the folder; `nowMs` dates the losses that are found. */
export function openStore(dataDir: string, nowMs: () => number = systemClock.nowMs): OpenedStore {
  const path = join(dataDir, DATABASE_FILE);
  const opened = openOrSetAside(path, { migrations: MIGRATIONS });
  const { db } = opened;
  const setAside =
    opened.setAside === undefined
      ? undefined
      : { path: opened.setAside, reason: opened.reason ?? '', salvaged: salvage(db, opened.setAside) };
  if (setAside !== undefined) rebuildTree(db);
  restoreSite(db, dataDir, nowMs());
  const reportMark = join(dataDir, 'report.mark');
  const lastReport = lastReportId(db);
  let report = openHighWaterMark(reportMark);
  const evidence = openHighWaterMark(join(dataDir, 'evidence.mark'));
  const lostReports = Math.max(0, report.value - lastReport);
  const lostEvidence = Math.max(0, evidence.value - evidenceSize(db));
  noteLosses(db, { setAside, lostReports, lostEvidence }, nowMs());
  if (lostReports > 0) {
    // Noted once: numbers go on from what is left. The mark of evidence stays, for forgetting would not mend the log.
    report.close();
    rmSync(reportMark);
    report = openHighWaterMark(reportMark);
    report.raise(lastReport);
  }
  return {
    db,
    path,
    ...(setAside === undefined ? {} : { setAside }),
    lostEvidence,
    marks: {
      raiseReport: report.raise,
      raiseEvidence: evidence.raise,
      close() {
        report.close();
        evidence.close();
      },
    },
  };
}

function lastReportId(db: SqliteDatabase): number {
  return (db.prepare('SELECT max(id) FROM report').pluck().get() as number | null) ?? 0;
}

interface Losses {
  readonly setAside: OpenedStore['setAside'];
  readonly lostReports: number;
  readonly lostEvidence: number;
}

/** The loss ledger. */
function noteLosses(db: SqliteDatabase, { setAside, lostReports, lostEvidence }: Losses, atMs: number): void {
  const note = (what: string, count: number | null, text: string) =>
    noteLoss(db, { what, count, code: 'DATABASE_DAMAGED', text, atMs });
  if (setAside !== undefined) {
    const { rows, broken } = setAside.salvaged;
    const parts = broken.length === 0 ? 'all tables could be read' : `not read to the end: ${broken.join(', ')}`;
    note('database', null, `The database was damaged and is kept aside. ${rows} rows were brought over; ${parts}.`);
  }
  if (lostReports > 0)
    note('report', lostReports, `${lostReports} stored reports are gone from the end of the journal.`);
  if (lostEvidence > 0)
    note('evidence', lostEvidence, `${lostEvidence} signed entries are gone from the end of the log.`);
}
