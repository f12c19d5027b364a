import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import {
  appendResultHistory,
  countEndedIncidents,
  extendResultHistory,
  type Incident,
  latestResult,
  newestRun,
  openIncidentKeys,
  openIncidentOf,
  putLatestResult,
  type ResultKey,
  type ResultRow,
} from '../store/index.ts';

/** 50 workstations have a few hundred subjects; forgetting them all costs one read each. */
const MAX_KEPT = 10_000;

interface Subject {
  readonly name: string;
  latest: ResultRow | undefined;
  /** `latest` is newer than the row on disk. */
  isDirty: boolean;
  /** The newest stretch of history on disk, once it was asked for. */
  run: number | undefined;
  /** It lasts until then; not written yet. */
  extendToMs: number | undefined;
  incident: Incident | undefined;
  /** The turn `incident` was read in. */
  incidentTurn: number;
  /** When incidents ended that are not written yet. */
  endedAtMs: number[];
}

/**
 * What is known about each subject, and what is to be written. A subject that a hundred reports confirm is written once:
 * what a reader finds after the commit is the same as if each had been written. Latest results are kept from turn to turn,
 * since nobody else writes them; incidents are not, since healing does.
 */
export interface Board {
  /** Others may have written since the turn before. */
  beginTurn(): void;
  latest(key: ResultKey): ResultRow | undefined;
  /** Like `latest`, of a key that anybody may have made up: what is not kept in memory is not looked for. */
  known(key: ResultKey): ResultRow | undefined;
  incident(key: ResultKey): Incident | undefined;
  putLatest(row: ResultRow): void;
  startRun(row: ResultRow): void;
  extendRun(row: ResultRow): void;
  /** The one incident that is not resolved. */
  setIncident(key: ResultKey, incident: Incident): void;
  /** The incident ended; there is none any more. */
  endIncident(key: ResultKey, atMs: number): void;
  /** How many incidents about this ended between two times of the box's clock, both included. */
  countEnded(key: ResultKey, between: { readonly fromMs: number; readonly toMs: number }): number;
  /** The row of the latest result is gone from disk. What waits to be written stays: it is newer. */
  dropLatest(key: ResultKey): void;
  /** A write that keeps its place among the others of its kind. */
  later(write: () => void): void;
  /** Something is to be written about an incident. */
  readonly hasIncidentNews: boolean;
  /** Writes all that waits. Belongs in a transaction. */
  flush(): void;
  /** What waits is not written, or was rolled back: nothing kept is sure. */
  forget(): void;
}

export function createBoard(db: SqliteDatabase): Board {
  const subjects = new Map<string, Subject>();
  const touched = new Set<Subject>();
  let writes: (() => void)[] = [];
  let hasIncidentNews = false;
  let turn = 0;
  /** Of this turn; most subjects have none, and need not be asked for. */
  let withIncident: Set<string> | undefined;
  let last: { readonly key: ResultKey; readonly subject: Subject } | undefined;

  /** Each result asks several times in a row. */
  function subjectOf(key: ResultKey): Subject {
    if (last !== undefined && isSame(last.key, key)) return last.subject;
    const name = nameOf(key);
    let subject = subjects.get(name);
    if (subject === undefined) {
      const latest = latestResult(db, key);
      const nothing = { isDirty: false, run: undefined, extendToMs: undefined, incident: undefined, incidentTurn: -1 };
      subject = { name, latest, ...nothing, endedAtMs: [] };
      subjects.set(name, subject);
    }
    last = { key, subject };
    return subject;
  }

  function extendRunOf(subject: Subject, key: ResultKey, toMs: number): void {
    subject.run ??= newestRun(db, key);
    if (subject.run !== undefined) extendResultHistory(db, subject.run, toMs);
  }

  function readIncident(name: string, key: ResultKey): Incident | undefined {
    withIncident ??= new Set(openIncidentKeys(db).map(nameOf));
    return withIncident.has(name) ? openIncidentOf(db, key) : undefined;
  }

  return {
    beginTurn() {
      turn += 1;
      withIncident = undefined;
    },
    latest: (key) => subjectOf(key).latest,
    known(key) {
      const subject = subjects.get(nameOf(key));
      if (subject !== undefined) last = { key, subject };
      return subject?.latest;
    },
    incident(key) {
      const subject = subjectOf(key);
      if (subject.incidentTurn !== turn) {
        subject.incident = readIncident(subject.name, key);
        subject.incidentTurn = turn;
      }
      return subject.incident;
    },
    putLatest(row) {
      const subject = subjectOf(row);
      subject.latest = row;
      subject.isDirty = true;
      touched.add(subject);
    },
    startRun(row) {
      const subject = subjectOf(row);
      const { extendToMs } = subject;
      subject.extendToMs = undefined;
      writes.push(() => {
        // The stretch before it ends where it was last seen, and can be found only while it is the newest.
        if (extendToMs !== undefined) extendRunOf(subject, row, extendToMs);
        subject.run = appendResultHistory(db, row);
      });
    },
    extendRun(row) {
      const subject = subjectOf(row);
      subject.extendToMs = row.receivedAtMs;
      touched.add(subject);
    },
    setIncident(key, incident) {
      const subject = subjectOf(key);
      hasIncidentNews = true;
      subject.incident = incident;
      subject.incidentTurn = turn;
    },
    endIncident(key, atMs) {
      const subject = subjectOf(key);
      hasIncidentNews = true;
      subject.incident = undefined;
      subject.incidentTurn = turn;
      subject.endedAtMs.push(atMs);
      touched.add(subject);
    },
    countEnded(key, { fromMs, toMs }) {
      const unwritten = subjectOf(key).endedAtMs.filter((atMs) => atMs >= fromMs && atMs <= toMs);
      return countEndedIncidents(db, key, { fromMs, toMs }) + unwritten.length;
    },
    dropLatest(key) {
      const subject = subjects.get(nameOf(key));
      if (subject === undefined || touched.has(subject)) return;
      subjects.delete(nameOf(key));
      last = undefined;
    },
    later: (write) => void writes.push(write),
    get hasIncidentNews() {
      return hasIncidentNews;
    },
    flush() {
      for (const write of writes) write();
      writes = [];
      hasIncidentNews = false;
      for (const subject of touched) {
        const { latest, extendToMs } = subject;
        if (latest !== undefined && extendToMs !== undefined) extendRunOf(subject, latest, extendToMs);
        if (latest !== undefined && subject.isDirty) putLatestResult(db, latest);
        subject.extendToMs = undefined;
        subject.isDirty = false;
        subject.endedAtMs = [];
      }
      touched.clear();
      if (subjects.size > MAX_KEPT) forgetSubjects();
    },
    forget() {
      writes = [];
      hasIncidentNews = false;
      touched.clear();
      forgetSubjects();
    },
  };

  function forgetSubjects(): void {
    subjects.clear();
    last = undefined;
  }
}

/** Sources and checks are names without a bar. */
const nameOf = ({ source, check, subject }: ResultKey): string => `${source}|${check}|${subject}`;

const isSame = (a: ResultKey, b: ResultKey): boolean =>
  a.subject === b.subject && a.check === b.check && a.source === b.source;
