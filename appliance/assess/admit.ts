import type { CheckName } from '@sitewarden/agent-proto/checks';
import type { SiteConfig } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { MORE_SUBJECTS } from '../lib/incident-words.ts';
import { BOX, type ResultKey, subjectsOfCheck } from '../store/index.ts';
import { CALM_MS } from './flapping.ts';
import type { Incoming } from './read-results.ts';

/**
 * Subjects one agent may have of a check, and so its open incidents: a site requires 64 services at the most, and what
 * else a workstation has several of, like its disks, are few.
 */
export const MAX_SUBJECTS = { services: 64, others: 16 } as const;

export const maxSubjectsOf = (check: CheckName): number =>
  check === 'services' ? MAX_SUBJECTS.services : MAX_SUBJECTS.others;

/** `not_required`: nobody asked this agent about it. `too_many`: there are as many subjects as there may be. */
export type Admission = 'admitted' | 'not_required' | 'too_many';

export interface Gate {
  /** The configuration may be another one. */
  beginTurn(site: SiteConfig | undefined): void;
  admit(result: Incoming): Admission;
  /** Whether there ever was too much of this check: cheap, for it is asked of every result. */
  everExceeded(result: Incoming): boolean;
  /** Whether a subject that was admitted before still is, and nothing else is to be said about its check. */
  isSettled(key: ResultKey): boolean;
  /** Nothing kept is sure: what is known is read again. */
  forget(): void;
}

/** Holds what agents report against what they were asked, so that one workstation cannot fill the site with its words. */
export function createGate(db: SqliteDatabase): Gate {
  const known = new Map<string, Map<string, Set<string>>>();
  const exceeded = new Set<string>();
  let required: ReadonlySet<string> | undefined;

  function subjectsOf({ source, check }: Incoming): Set<string> {
    const checks = known.get(source) ?? new Map<string, Set<string>>();
    known.set(source, checks);
    const kept = checks.get(check);
    if (kept !== undefined) return kept;
    const subjects = new Set(subjectsOfCheck(db, source, check));
    checks.set(check, subjects);
    if (subjects.has(MORE_SUBJECTS)) exceeded.add(`${source}|${check}`);
    return subjects;
  }

  const isAskedFor = (check: CheckName, subject: string): boolean =>
    check !== 'services' || required === undefined || required.has(subject);

  return {
    beginTurn(site) {
      // Before the claim nobody can know what will be required; the number of subjects bounds it.
      required = site && requiredSubjects(site);
    },
    admit(result) {
      const { source, check, subject } = result;
      if (source === BOX) return 'admitted';
      if (subject === MORE_SUBJECTS) {
        exceeded.add(`${source}|${check}`);
        return 'too_many';
      }
      const subjects = subjectsOf(result);
      if (!isAskedFor(check, subject)) return 'not_required';
      if (subjects.has(subject)) return 'admitted';
      subjects.delete(MORE_SUBJECTS);
      if (subjects.size >= maxSubjectsOf(check)) {
        exceeded.add(`${source}|${check}`);
        return 'too_many';
      }
      subjects.add(subject);
      return 'admitted';
    },
    isSettled({ source, check, subject }) {
      if (source === BOX) return true;
      if (exceeded.size > 0 || subject === MORE_SUBJECTS) return false;
      return known.get(source)?.get(check)?.has(subject) === true && isAskedFor(check, subject);
    },
    everExceeded: ({ source, check }) => exceeded.size > 0 && exceeded.has(`${source}|${check}`),
    forget() {
      known.clear();
      exceeded.clear();
    },
  };
}

/** An agent that need not look after any service says so about the empty subject. */
export const requiredSubjects = ({ requiredServices }: SiteConfig): ReadonlySet<string> =>
  new Set(requiredServices.length === 0 ? [''] : requiredServices);

/** The result that says there was more than could be taken, and later that it is over. Undefined: nothing to say. */
export function moreSubjects(input: {
  readonly like: Incoming;
  readonly isExceeded: boolean;
  readonly latest: { readonly status: string; readonly receivedAtMs: number } | undefined;
}): Incoming | undefined {
  const { like, isExceeded, latest } = input;
  const { source, check, receivedAtMs, reportId } = like;
  const isOver = latest?.status === 'fail' && receivedAtMs - latest.receivedAtMs >= CALM_MS;
  if (!isExceeded && !isOver) return undefined;
  const max = maxSubjectsOf(check);
  return {
    ...{ source, check, receivedAtMs, reportId, collectedAtMs: receivedAtMs },
    subject: MORE_SUBJECTS,
    status: isExceeded ? 'fail' : 'pass',
    severity: isExceeded ? 'medium' : 'info',
    controls: [],
    expected: `at most ${max} subjects`,
    actual: isExceeded ? 'more' : 'not more',
    reason: isExceeded
      ? `This workstation reports on more than ${max} subjects of one check; the others are left out. Look whether its agent is the genuine one, and enrol it again.`
      : `This workstation reports on at most ${max} subjects again.`,
    facts: {},
  };
}
