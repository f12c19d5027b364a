import type { QueryClient, QueryKey } from '@tanstack/react-query';
import { keys } from '../api/keys.ts';
import type { LiveChange } from './live-store.ts';

/** A fleet of hundreds reports a change several times a second; one page asks again at most this often. */
const SETTLE_MS = 500;

type PerSite = (siteId: string) => QueryKey;
const AFFECTED: Record<LiveChange['kind'], { always: QueryKey[]; perSite: PerSite[] }> = {
  site: { always: [keys.sites, keys.claimSession], perSite: [keys.site, keys.timeline] },
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

/** Gathers changes for a moment, then asks again once for each key. */
export function makeInvalidator(client: QueryClient): (change: LiveChange) => void {
  const waiting = new Map<string, QueryKey>();
  const flush = () => {
    for (const queryKey of waiting.values()) void client.invalidateQueries({ queryKey });
    waiting.clear();
  };
  return (change) => {
    if (waiting.size === 0) setTimeout(flush, SETTLE_MS);
    for (const key of affectedKeys(change)) waiting.set(key.join('/'), key);
  };
}
