import { healthRank, type SiteHealth } from '../fleet/index.ts';
import type { Tx } from '../store/index.ts';
import { listAgentPulses } from '../store/repositories/agents.ts';
import { BOX_SOURCE, listNotPassed } from '../store/repositories/checks.ts';
import { readSiteFacts } from '../store/repositories/sites.ts';
import { type AgentCounts, type AgentPulse, countAgents } from './agent-counts.ts';
import { comparePlaces, decodeCursor, encodeCursor, type ListPlace } from './cursor.ts';
import { type JudgedSite, judgeSite } from './facts.ts';

export interface SiteListInput {
  search?: string | undefined;
  health?: SiteHealth | undefined;
  cursor?: string | undefined;
  limit?: number | undefined;
  /** Of a technician: only sites given to this person. */
  givenTo?: string | undefined;
  nowMs: number;
}

type Totals = Record<SiteHealth | 'all', number>;

const DEFAULT_LIMIT = 100;

/**
 * Sites of a tenant, what is not fine first. Rows and totals come from the same judged rows, so they cannot disagree;
 * `health` filters the rows and leaves the totals, which lead to the other filters. Throws QUERY_INVALID.
 */
export async function listSites(trx: Tx, input: SiteListInput) {
  const { nowMs, limit = DEFAULT_LIMIT } = input;
  const search = input.search?.trim() || undefined;
  const judged = (await readSiteFacts(trx, { search, givenTo: input.givenTo })).map((row) => judgeSite(row, nowMs));
  const totals: Totals = { problem: 0, warning: 0, unknown: 0, ok: 0, all: judged.length };
  for (const { verdict } of judged) totals[verdict.health] += 1;
  const chosen = input.health ? judged.filter(({ verdict }) => verdict.health === input.health) : judged;
  const placed = chosen.map((site) => ({ site, place: placeOf(site) }));
  placed.sort((a, b) => comparePlaces(a.place, b.place));
  const after = input.cursor === undefined ? undefined : resumeAt(judged, input.cursor);
  const from = after === undefined ? 0 : firstAfter(placed, after);
  const page = placed.slice(from, from + limit);
  const last = page.at(-1);
  const hasMore = from + page.length < placed.length;
  const sites = await summarize(
    trx,
    page.map(({ site }) => site),
    nowMs,
  );
  return { sites, totals, nextCursor: hasMore && last ? encodeCursor(last.place) : null, asOfMs: nowMs };
}

const placeOf = ({ row, verdict }: JudgedSite): ListPlace => ({
  rank: healthRank(verdict.health),
  name: row.name,
  id: row.id,
});

/** The name is looked up, so that a cursor stays short; a site that is gone counts from the start of its rank. */
function resumeAt(judged: readonly JudgedSite[], cursor: string): ListPlace {
  const { rank, id } = decodeCursor(cursor);
  return { rank, id, name: judged.find(({ row }) => row.id === id)?.row.name ?? '' };
}

function firstAfter(placed: readonly { place: ListPlace }[], after: ListPlace): number {
  const at = placed.findIndex(({ place }) => comparePlaces(place, after) > 0);
  return at < 0 ? placed.length : at;
}

/** Adds what only shown sites need: the counts of their agents. */
export async function summarize(trx: Tx, sites: readonly JudgedSite[], nowMs: number) {
  const ids = sites.flatMap(({ row }) => row.appliance_id ?? []);
  const agents = groupBy(await listAgentPulses(trx, ids), (agent) => agent.applianceId);
  const notPassed = groupBy(await listNotPassed(trx, ids), (result) => result.applianceId);
  return sites.map((site) => {
    const id = site.row.appliance_id ?? '';
    return summaryOf(
      site,
      agentCounts(site, { agents: agents.get(id) ?? [], results: notPassed.get(id) ?? [], nowMs }),
    );
  });
}

function agentCounts(
  { row, status }: JudgedSite,
  input: { agents: AgentPulse[]; results: { source: string; status: string }[]; nowMs: number },
): AgentCounts {
  const notPassed = new Map<string, Set<string>>();
  for (const { source, status: result } of input.results) {
    if (source === BOX_SOURCE) continue;
    const known = notPassed.get(source) ?? new Set();
    notPassed.set(source, known.add(result));
  }
  const clockOffsetMs = row.clock_offset_ms ?? 0;
  return countAgents(input.agents, { box: status, clockOffsetMs, nowMs: input.nowMs, notPassed });
}

function summaryOf({ row, status, evidence, verdict }: JudgedSite, agents: AgentCounts) {
  return {
    id: row.id,
    name: row.name,
    clientId: row.client_id,
    clientName: row.client_name,
    ...verdict,
    status,
    applianceId: row.appliance_id,
    incidents: {
      info: row.info ?? 0,
      low: row.low ?? 0,
      medium: row.medium ?? 0,
      high: row.high ?? 0,
      critical: row.critical ?? 0,
    },
    agents,
    queue: { depth: row.queue_depth ?? 0, oldestAgeMs: row.queue_oldest_ms ?? 0 },
    evidence,
    isQuarantined: row.state === 'quarantined',
  };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
