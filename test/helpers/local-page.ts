import type { Test } from 'tap';
import { createInstallers } from '../../appliance/installers/index.ts';
import { createLocal } from '../../appliance/local/index.ts';
import type {
  AgentInfo,
  ClaimSnapshot,
  DiscoverySnapshot,
  EvidenceSnapshot,
  LocalServices,
  UplinkSnapshot,
  WakeSnapshot,
} from '../../appliance/local/services.ts';
import { createTelemetry } from '../../appliance/telemetry/index.ts';
import { applianceContext, START_MS } from './appliance-context.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What the features beside the page would say; a test changes it. */
export interface Sayings {
  claim: ClaimSnapshot;
  uplink: UplinkSnapshot;
  wake: WakeSnapshot;
  laneFaults: Mutable<ReturnType<LocalServices['outbox']['faults']>>;
  lanes: Mutable<ReturnType<LocalServices['outbox']['snapshot']>>;
  evidence: EvidenceSnapshot;
  discovery: DiscoverySnapshot;
  agents: AgentInfo[];
  claimWithCode: (text: string) => Promise<ClaimSnapshot>;
  removed: string[];
}

export const SHOWING: ClaimSnapshot = {
  phase: 'showing',
  claimUrl: 'https://relay.example.com/claim#v1.Zm9vYmFyYmF6cXV4MTIzNA.4MvJ0Jt5sGgS0gJcLwq3p5n8yYb1cVxQmHk2dEoTzUI',
  number: '48210967',
  expiresAtMs: START_MS + 540_000,
  error: null,
  site: null,
  doctor: [],
};

export const CLAIMED: ClaimSnapshot = {
  phase: 'done',
  claimUrl: null,
  number: null,
  expiresAtMs: null,
  error: null,
  site: {
    applianceId: `app_${'a'.repeat(26)}`,
    siteId: `site_${'a'.repeat(26)}`,
    siteName: 'Lakeside Dental',
    partnerName: 'Northwind IT',
    epoch: 1,
    claimedBy: 'Dana Field',
    claimedAtMs: START_MS - 86_400_000,
  },
  doctor: [],
};

const IDLE_LANE = { depth: 0, oldestAgeMs: 0 };

export function sayings(): Sayings {
  const said: Sayings = {
    claim: SHOWING,
    uplink: {
      state: 'idle',
      relay: 'https://relay.example.com',
      lastCheckinAtMs: null,
      nextCheckinAtMs: null,
      lastError: null,
      configGeneration: 0,
      isQuarantined: false,
      chainLostAtMs: null,
      relayAheadMs: null,
    },
    wake: { state: 'connected', sinceMs: START_MS, code: null },
    laneFaults: {},
    lanes: { evidence: IDLE_LANE, receipts: IDLE_LANE, incidents: IDLE_LANE, telemetry: IDLE_LANE },
    evidence: { epoch: 1, size: 0, cosignedSize: 0, lastEntryAtMs: null, waiting: 0, isHalted: false },
    discovery: { isEnabled: true, networks: ['192.168.7.0/24'], interfaces: undefined },
    agents: [],
    claimWithCode: () => Promise.resolve(said.claim),
    removed: [],
  };
  return said;
}

/** The page on a real socket and a real database, with the other features' part played by `said`. */
export async function localPage(t: Test, yaml = '') {
  const ctx = applianceContext(t, `local: { port: 0${yaml === '' ? '' : `, ${yaml}`} }\n`);
  const said = sayings();
  const services: LocalServices = {
    identity: {
      serial: 'SW-0042',
      model: 'NUC 13',
      version: '0.1.0',
      fingerprint: 'F'.repeat(43),
      keyStorage: 'plain',
    },
    claim: { snapshot: () => said.claim, claimWithCode: (text) => said.claimWithCode(text) },
    keys: { rotate: () => Promise.reject(new Error('no test of the page replaces a key')) },
    secrets: { list: () => [], use: () => Promise.reject(new Error('no test of the page opens a secret')) },
    uplink: { snapshot: () => said.uplink },
    wake: { snapshot: () => said.wake },
    outbox: { snapshot: () => said.lanes, faults: () => said.laneFaults },
    evidence: { snapshot: () => said.evidence },
    discovery: { snapshot: () => said.discovery },
    installers: createInstallers(ctx.config.installers),
    agents: {
      list: () => said.agents,
      createEnrollToken: () => ({ token: 'swt_x', expiresAtMs: START_MS, siteCaSha256: '0'.repeat(64) }),
      removeAgent: (id) => {
        said.removed.push(id);
      },
    },
  };
  const local = createLocal(ctx, { services, telemetry: createTelemetry(ctx) });
  await local.start();
  t.teardown(() => local.stop());
  return { ctx, said, local, url: local.url };
}
