import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import {
  appendResultHistory,
  extendResultHistory,
  type Incident,
  latestResult,
  openIncidentOf,
  putLatestResult,
  type ResultKey,
  type ResultRow,
} from '../store/index.ts';

/** 50 workstations have a few hundred subjects; forgetting them all costs one read each. */
const MAX_KEPT = 10_000;

interface Subject {
  latest: ResultRow | undefined;
  /** `latest` is newer than the row on disk. */
  isDirty: boolean;
  /** The newest stretch of history lasts until then; not written yet. */
  extendToMs: number | undefined;
  incident: Incident | undefined;
  isIncidentKnown: boolean;
}

/**
 * What is known about each subject while a turn runs. A subject that a hundred reports of one turn confirm is written
 * once, at the end of the turn and inside its transaction: what a reader finds after the commit is the same as if each
 * had been written. Latest results are kept from turn to turn, since nobody else writes them; incidents are not, since
 * healing does.
 */
export interface Board {
  latest(key: ResultKey): ResultRow | undefined;
  incident(key: ResultKey): Incident | undefined;
  putLatest(row: ResultRow): void;
  startRun(row: ResultRow): void;
  extendRun(row: ResultRow): void;
  /** The one incident that is not resolved; undefined when there is none any more. */
  setIncident(key: ResultKey, incident: Incident | undefined): void;
  /** Writes what waits. Belongs in the transaction. */
  flush(): void;
  /** The transaction was rolled back: nothing kept is sure. */
  forget(): void;
}

export function createBoard(db: SqliteDatabase): Board {
  const subjects = new Map<string, Subject>();
  const touched = new Set<Subject>();

  function subjectOf(key: ResultKey): Subject {
    // Sources and checks are names without a bar.
    const name = `${key.source}|${key.check}|${key.subject}`;
    let subject = subjects.get(name);
    if (subject === undefined) {
      subject = {
        latest: latestResult(db, key),
        isDirty: false,
        extendToMs: undefined,
        incident: undefined,
        isIncidentKnown: false,
      };
      subjects.set(name, subject);
    }
    touched.add(subject);
    return subject;
  }

  function writeHistory(subject: Subject): void {
    if (subject.extendToMs === undefined || subject.latest === undefined) return;
    extendResultHistory(db, subject.latest, subject.extendToMs);
    subject.extendToMs = undefined;
  }

  function flush(): void {
    for (const subject of touched) {
      writeHistory(subject);
      if (subject.isDirty && subject.latest !== undefined) putLatestResult(db, subject.latest);
      subject.isDirty = false;
      subject.isIncidentKnown = false;
      subject.incident = undefined;
    }
    touched.clear();
    if (subjects.size > MAX_KEPT) subjects.clear();
  }

  return {
    latest: (key) => subjectOf(key).latest,
    incident(key) {
      const subject = subjectOf(key);
      if (!subject.isIncidentKnown) {
        subject.incident = openIncidentOf(db, key);
        subject.isIncidentKnown = true;
      }
      return subject.incident;
    },
    putLatest(row) {
      const subject = subjectOf(row);
      subject.latest = row;
      subject.isDirty = true;
    },
    startRun(row) {
      // The stretch before it ends where it was last seen, and only while it is the newest.
      writeHistory(subjectOf(row));
      appendResultHistory(db, row);
    },
    extendRun(row) {
      subjectOf(row).extendToMs = row.receivedAtMs;
    },
    setIncident(key, incident) {
      const subject = subjectOf(key);
      subject.incident = incident;
      subject.isIncidentKnown = true;
    },
    flush,
    forget() {
      touched.clear();
      subjects.clear();
    },
  };
}
