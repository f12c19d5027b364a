import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckinRequest, Lane } from '@sitewarden/agent-proto/http';
import { bootId } from '@sitewarden/kit/time';
import type { ApplianceContext } from '../lib/context.ts';
import type { TimeQuality } from '../lib/relay-clock.ts';
import {
  agents,
  countOpenIncidents,
  devices,
  evidence,
  failingBySource,
  losses,
  relayOrders,
  state,
} from '../store/index.ts';

export interface HostState {
  readonly facts: Facts;
  readonly disk: { readonly totalBytes: number; readonly freeBytes: number };
}

export interface CheckinParts {
  readonly counter: number;
  readonly previousToken: string | null;
  readonly timeNonce: string | null;
  readonly versions: CheckinRequest['versions'];
  readonly epoch: number;
  readonly host: HostState;
  readonly lanes: Readonly<Record<Lane, { depth: number; oldestAgeMs: number }>>;
  readonly timeQuality: TimeQuality;
}

/** How the box stands now; every number is read, none is made up. */
export function checkinBody(
  { db, clock }: Pick<ApplianceContext, 'db' | 'clock'>,
  parts: CheckinParts,
): CheckinRequest {
  const failing = failingBySource(db);
  const active = agents.list(db);
  const lost = losses(db);
  return {
    counter: parts.counter,
    bootId: bootId(),
    previousToken: parts.previousToken,
    timeNonce: parts.timeNonce,
    versions: parts.versions,
    configGeneration: state.siteConfig(db)?.generation ?? 0,
    orderSeq: relayOrders.maxSeq(db),
    telemetry: boundFacts(parts.host.facts),
    lanes: { ...parts.lanes },
    ...(lost.length > 0 && { losses: lost }),
    agents: {
      total: active.length,
      connected: active.filter(({ connected }) => connected).length,
      failing: active.filter(({ id }) => (failing.get(id) ?? 0) > 0).length,
    },
    devices: devices.count(db),
    incidentsOpen: countOpenIncidents(db),
    evidence: {
      epoch: parts.epoch,
      size: evidence.size(db),
      cosignedSize: evidence.lastCosigned(db)?.size ?? 0,
    },
    disk: { totalBytes: parts.host.disk.totalBytes, freeBytes: parts.host.disk.freeBytes },
    clock: { nowMs: Math.max(0, Math.round(clock.nowMs())), quality: parts.timeQuality },
  };
}

const MAX_FACTS = 64;

/** A sensor that answers with something odd must not silence the whole check-in. */
function boundFacts(facts: Facts): Facts {
  const good = Object.entries(facts).filter(([name, value]) => {
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) return false;
    if (typeof value === 'string') return value.length <= 1024;
    if (typeof value === 'number') return Number.isSafeInteger(value);
    return typeof value === 'boolean' || (value.length <= 64 && value.every((item) => item.length <= 1024));
  });
  return Object.fromEntries(good.slice(0, MAX_FACTS));
}
