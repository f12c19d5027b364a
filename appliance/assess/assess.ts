import { hostname } from 'node:os';
import type { CheckResult, Report } from '@sitewarden/agent-proto/agent';
import type { CheckName } from '@sitewarden/agent-proto/checks';
import type { RmmRow } from '@sitewarden/agent-proto/http';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import { MORE_SUBJECTS } from '../lib/incident-words.ts';
import { createLoop } from '../lib/loop.ts';
import {
  agents,
  BOX,
  changes,
  countOpenIncidents,
  createGatheringStage,
  isDiskFault,
  latestRmm,
  putRmm,
  reports,
  state,
} from '../store/index.ts';
import type { ReportHead } from '../store/reports.ts';
import { type Admission, createGate, moreSubjects } from './admit.ts';
import { applySteps } from './apply.ts';
import { createBoard } from './board.ts';
import { boxTimeMs } from './box-time.ts';
import { decide, isGood, seenAgain } from './decide.ts';
import { lookBackOf } from './flapping.ts';
import { dropNoLongerRequired } from './no-longer-required.ts';
import { type Incoming, type ResultOrigin, readResult, withinTime } from './read-results.ts';
import { pruneAssessed } from './retention.ts';
import { resolveRetired } from './retired.ts';
import { rmmAfter } from './rmm.ts';
import { saysTheSame } from './same.ts';

export interface Assess extends LifecyclePart {
  /** Assesses all that is waiting, now. */
  settle(): Promise<void>;
}

/** Read at once: a report holds up to 1 MiB. */
const REPORTS_PER_READ = 20;
const RETENTION_EVERY_MS = 60_000;

/** Checks of one report of which there are, or were, too many subjects. */
type Crowded = Map<string, { readonly like: Incoming; readonly isExceeded: boolean }>;

/** Turns reports into what is known about each check, and into incidents. */
export function createAssess(ctx: ApplianceContext): Assess {
  const { clock, db, log, signals, metrics } = ctx;
  const board = createBoard(db);
  const gate = createGate(db);
  const hosts = new Map<string, Host>();
  const rmm = new Map<string, RmmRow>();
  const loggedAs = new Set<string>();

  function assessReport(row: ReportHead): void {
    const report = readReport(row);
    if (report === undefined) return;
    const { source } = row;
    const host = hosts.get(source) ?? hostOf(db, source);
    hosts.set(source, host);
    const nowMs = clock.nowMs();
    const from = { source, reportId: row.id, receivedAtMs: withinTime(row.receivedAtMs) };
    let crowded: Crowded | undefined;
    let dropped = 0;
    for (const result of report.results) {
      if (isSeenAgain(result, from)) continue;
      const incoming = readResult(result, from);
      if (incoming === undefined) {
        dropped += 1;
        continue;
      }
      const admission = gate.admit(incoming);
      if (gate.everExceeded(incoming)) {
        crowded ??= new Map();
        const before = crowded.get(incoming.check)?.isExceeded ?? false;
        crowded.set(incoming.check, { like: incoming, isExceeded: before || admission === 'too_many' });
      }
      if (admission === 'admitted') assessResult(incoming, host, nowMs);
      else ignore(incoming, admission);
    }
    if (crowded !== undefined) assessCrowded(crowded, host, nowMs);
    if (report.rmmLooked && source !== BOX) assessRmm(source, report.rmmFindings, nowMs);
    if (dropped > 0) log.debug({ source, seq: row.seq, dropped }, 'results of unknown checks or states');
  }

  /** Nearly all that comes in only confirms what is known; that takes a fraction of the time. */
  function isSeenAgain(result: CheckResult, from: ResultOrigin): boolean {
    const key = { source: from.source, check: result.check as CheckName, subject: result.subject };
    const latest = board.known(key);
    if (latest === undefined || !saysTheSame(latest, result) || !gate.isSettled(key)) return false;
    const collectedAtMs = boxTimeMs(result.collectedAtMs, from.receivedAtMs);
    const row = seenAgain(latest, board.incident(latest), { ...from, collectedAtMs });
    if (row === undefined) return false;
    board.putLatest(row);
    board.extendRun(row);
    return true;
  }

  function assessResult(result: Incoming, host: Host, nowMs: number): void {
    const incident = board.incident(result);
    // Asked of the disk, and only the end of an incident depends on it.
    const mayEnd = incident !== undefined && isGood(result);
    const steps = decide({
      latest: board.latest(result),
      incident,
      endedBefore: mayEnd ? board.countEnded(incident, lookBackOf(incident, nowMs)) : 0,
      result,
      host: host.name,
      isRetired: host.isRetired,
      nowMs,
    });
    applySteps({ db, board }, steps, nowMs);
  }

  function assessRmm(agentId: string, found: Report['rmmFindings'], atMs: number): void {
    const known = rmm.get(agentId) ?? latestRmm(db, agentId);
    const row = rmmAfter(known, { agentId, found, atMs });
    if (row !== undefined) {
      board.later(() => {
        putRmm(db, row);
        changes.append(db, { kind: 'rmm_changed', refId: agentId, body: row, atMs });
      });
    }
    const now = row ?? known;
    if (now !== undefined) rmm.set(agentId, now);
  }

  /** Where there was too much of a check, a result that says so. */
  function assessCrowded(crowded: Crowded, host: Host, nowMs: number): void {
    for (const { like, isExceeded } of crowded.values()) {
      const latest = board.latest({ ...like, subject: MORE_SUBJECTS });
      const said = moreSubjects({ like, isExceeded, latest });
      if (said !== undefined) assessResult(said, host, nowMs);
    }
  }

  function ignore({ source, check }: Incoming, why: Exclude<Admission, 'admitted'>): void {
    metrics.resultsIgnored.inc({ why });
    const name = `${source}|${check}|${why}`;
    if (loggedAs.has(name)) return;
    loggedAs.add(name);
    log.warn({ source, check, why }, 'results are ignored; said once for this agent and check');
  }

  /** The journal holds what was acknowledged; a row nobody can read must not hold up those behind it. */
  function readReport(row: ReportHead): Report | undefined {
    try {
      return reports.reportOf(db, row.id);
    } catch (error) {
      log.error({ source: row.source, seq: row.seq, err: error }, 'report cannot be read, skipped');
      return undefined;
    }
  }

  const stage = createGatheringStage<ReportHead>({
    name: 'assess',
    ctx,
    batch: REPORTS_PER_READ,
    wakeOn: ['report'],
    read: reports.headsSince,
    newestId: reports.newestId,
    beginTurn() {
      board.beginTurn();
      gate.beginTurn(state.siteConfig(db));
      hosts.clear();
    },
    gather: (rows) => {
      for (const row of rows) assessReport(row);
    },
    // Incidents belong to others too: what was decided about one is written before they get a turn.
    isUrgent: () => board.hasIncidentNews,
    write: board.flush,
    forget() {
      board.forget();
      gate.forget();
      rmm.clear();
    },
    onCommitted: () => {
      metrics.incidentsOpen.set(countOpenIncidents(db));
      signals.emit('change');
    },
  });

  const retention = createLoop({
    name: 'assess-retention',
    log,
    pollMs: RETENTION_EVERY_MS,
    onError(error) {
      if (isDiskFault(error)) signals.emit('diskFault', { error });
    },
    turn: () => {
      const before = changes.lastId(db);
      const { dropped, hasMore } = withTransaction(db, () => {
        const nowMs = clock.nowMs();
        const hasRetired = resolveRetired(db, nowMs);
        const gone = dropNoLongerRequired(db, nowMs);
        return { dropped: gone.dropped, hasMore: pruneAssessed(db, nowMs) || hasRetired || gone.hasMore };
      });
      for (const key of dropped) board.dropLatest(key);
      if (dropped.length > 0) gate.forget();
      if (changes.lastId(db) > before) signals.emit('change');
      return hasMore;
    },
  });
  let off: () => void = () => {};

  return {
    name: 'assess',
    start() {
      const leave = [signals.on('agentRemoved', retention.wake), signals.on('config', retention.wake)];
      off = () => {
        for (const one of leave) one();
      };
      metrics.incidentsOpen.set(countOpenIncidents(db));
      stage.start();
      retention.start();
    },
    async stop() {
      off();
      await stage.stop();
      await retention.stop();
    },
    settle: stage.settle,
  };
}

interface Host {
  readonly name: string;
  readonly isRetired: boolean;
}

function hostOf(db: SqliteDatabase, source: string): Host {
  if (source === BOX) return { name: hostname().slice(0, 256), isRetired: false };
  const agent = agents.byId(db, source);
  return { name: (agent?.hostname ?? source).slice(0, 256), isRetired: agent?.state !== 'active' };
}
