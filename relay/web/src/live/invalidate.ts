import type { QueryClient, QueryKey } from '@tanstack/react-query';
import { keys } from '../api/keys.ts';
import type { LiveChange } from './feed-events.ts';

/** Changes that come together are one. */
const SETTLE_MS = 300;
/** A fleet of hundreds changes several times a second; long lists are asked for again at most this often. */
const FLEET_REST_MS = 2000;

type PerSite = (siteId: string) => QueryKey;
const AFFECTED: Record<LiveChange['kind'], { always: QueryKey[]; perSite: PerSite[] }> = {
  site: {
    always: [keys.sites, keys.claimSession],
    perSite: [keys.site, keys.timeline, keys.custody, keys.quarantine, keys.secrets],
  },
  agents: { always: [keys.sites, keys.claimSession], perSite: [keys.site, keys.agents, keys.timeline] },
  incidents: { always: [keys.sites], perSite: [keys.site, keys.incidents, keys.timeline] },
  evidence: { always: [keys.sites], perSite: [keys.site, keys.evidence, keys.incidents, keys.timeline] },
  orders: { always: [], perSite: [keys.orders, keys.timeline] },
  devices: { always: [], perSite: [keys.site, keys.devices] },
  claims: {
    always: [keys.sites, keys.codes, keys.claimSessions, keys.claimSession],
    perSite: [keys.site, keys.timeline],
  },
};

/** What to fetch again after a change. A change without a site concerns every site. */
export function affectedKeys({ kind, siteId }: LiveChange): QueryKey[] {
  const { always, perSite } = AFFECTED[kind] ?? { always: [], perSite: [] };
  return [...always, ...perSite.map((key) => (siteId === null ? key('').slice(0, 1) : key(siteId)))];
}

/** Gathers keys for a moment, asks again once for each, then rests. */
function makeGatherer(client: QueryClient, restMs: number): (key: QueryKey) => void {
  const waiting = new Map<string, QueryKey>();
  let restsUntilMs = 0;
  const flush = () => {
    restsUntilMs = performance.now() + restMs;
    for (const queryKey of waiting.values()) void client.invalidateQueries({ queryKey });
    waiting.clear();
  };
  return (key) => {
    if (waiting.size === 0) setTimeout(flush, Math.max(SETTLE_MS, restsUntilMs - performance.now()));
    waiting.set(key.join('/'), key);
  };
}

/** Asks again for what a change made old. */
export function makeInvalidator(client: QueryClient): (change: LiveChange) => void {
  const fleet = makeGatherer(client, FLEET_REST_MS);
  const rest = makeGatherer(client, 0);
  const isLong = (key: QueryKey) => key === keys.sites || key[0] === keys.agents('')[0];
  return (change) => {
    for (const key of affectedKeys(change)) (isLong(key) ? fleet : rest)(key);
  };
}
