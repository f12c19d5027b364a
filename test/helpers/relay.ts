import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@sitewarden/kit/ids';
import { createLogger } from '@sitewarden/kit/log';
import type { Clock } from '@sitewarden/kit/time';
import { createPartner, createSignInLink } from '../../relay/accounts/index.ts';
import { type RelayConfig, readConfig, relayHost } from '../../relay/config/index.ts';
import { hasKeys, initKeys } from '../../relay/keys/index.ts';
import type { Role } from '../../relay/lib/roles.ts';
import { type RunningRelay, type StartOptions, startRelay } from '../../relay/server.ts';
import { openStore, type Store, storeOptions } from '../../relay/store/index.ts';
import { replaceSites } from '../../relay/store/repositories/people.ts';
import { readQr, TestBox } from './box.ts';
import { StaffClient } from './staff-client.ts';

/** Wall time a test moves by hand; monotonic time goes with it. */
export interface TestClock extends Clock {
  advance(ms: number): void;
}

export function testClock(startMs = Date.now()): TestClock {
  let offsetMs = 0;
  const began = performance.now();
  return {
    nowMs: () => startMs + offsetMs,
    monotonicMs: () => began + offsetMs,
    advance(ms) {
      offsetMs += ms;
    },
  };
}

export interface Site {
  readonly partnerId: string;
  readonly clientId: string;
  readonly siteId: string;
}

/** A client with one site, written straight into the store. */
export async function seedSite(store: Store, partnerId: string, name = 'Main street'): Promise<Site> {
  const clientId = newId('cli');
  const siteId = newId('site');
  await store.inTenant(partnerId, async (trx) => {
    await trx
      .insertInto('client')
      .values({ id: clientId, partner_id: partnerId, name: `Clinic ${clientId.slice(-6)}`, created_at_ms: 1 })
      .execute();
    await trx
      .insertInto('site')
      .values({
        id: siteId,
        partner_id: partnerId,
        client_id: clientId,
        name,
        agent_tier: 0,
        required_services: '["cron"]',
        check_interval_ms: 60_000,
        heartbeat_interval_ms: 30_000,
        config_generation: 1,
        created_at_ms: 1,
      })
      .execute();
  });
  return { partnerId, clientId, siteId };
}

/** Gives every technician of a partner every site it has now. */
export async function giveAllSites(store: Store, partnerId: string): Promise<void> {
  await store.inTenant(partnerId, async (trx) => {
    const sites = await trx.selectFrom('site').select('id').execute();
    const people = await trx.selectFrom('staff').select('id').where('role', '=', 'technician').execute();
    for (const { id: staffId } of people) {
      await replaceSites(trx, { partnerId, staffId, siteIds: sites.map(({ id }) => id) });
    }
  });
}

export const seedPartner = (store: Store, name = 'Partner'): Promise<string> =>
  createPartner(store, { name, nowMs: Date.now() });

export interface TestRelay extends RunningRelay {
  readonly store: Store;
  readonly dataDir: string;
  /** A signed-in person of a partner. */
  staff(partnerId: string, role: Role, name?: string): Promise<StaffClient>;
  box(serial?: string): Promise<TestBox>;
  /** Claims a box for a site the short way: it shows its code and an admin claims it. */
  claim(
    admin: StaffClient,
    siteId: string,
    serial?: string,
  ): Promise<{ box: TestBox; applianceId: string; session: string }>;
}

/** No test is to meet a limit it does not look for. */
const WIDE_OPEN = {
  requestsPerMinute: 1_000_000,
  boxRequestsPerMinute: 1_000_000,
  claimsPerMinute: 1_000_000,
  signInsPerMinute: 1_000_000,
};

/** As `init` does: the database, then the keys. */
async function initFolder(config: RelayConfig): Promise<void> {
  if (config.store.kind === 'sqlite') await (await openStore(await storeOptions(config))).close();
  await initKeys({ dataDir: config.dataDir, host: relayHost(config), nowMs: Date.now() });
}

/**
 * A whole relay on a free port of this host with a folder of its own. `teardown` gets what must run afterwards; with
 * `store` it uses that PostgreSQL instead of SQLite.
 */
export async function startTestRelay(
  teardown: (fn: () => Promise<void>) => void,
  options: StartOptions & {
    store?: RelayConfig['store'];
    limits?: Partial<RelayConfig['limits']>;
    metricsTokenFile?: string;
    publicUrl?: string;
    dataDir?: string;
    trustProxy?: readonly string[];
    wake?: Partial<RelayConfig['wake']>;
  } = {},
): Promise<TestRelay> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sitewarden-relay-')));
  const config = readConfig(
    JSON.stringify({
      listen: { host: '127.0.0.1', port: 0 },
      dataDir,
      store: options.store ?? { kind: 'sqlite' },
      limits: { ...WIDE_OPEN, ...options.limits },
      ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
      ...(options.trustProxy === undefined ? {} : { trustProxy: options.trustProxy }),
      ...(options.wake === undefined ? {} : { wake: options.wake }),
      ...(options.metricsTokenFile === undefined ? {} : { metricsTokenFile: options.metricsTokenFile }),
    }),
  );
  if (!(await hasKeys(dataDir))) {
    await initFolder(config);
  }
  const log = options.log ?? createLogger({ name: 'test-relay', level: 'silent' });
  const relay = await startRelay(config, { ...options, log });
  teardown(async () => {
    await relay.close();
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  });
  const { store, clock } = relay.services;

  async function staff(partnerId: string, role: Role, name = `${role} person`): Promise<StaffClient> {
    const link = await createSignInLink(store, {
      publicUrl: relay.publicUrl,
      role,
      name,
      partnerId,
      nowMs: clock.nowMs(),
    });
    const client = new StaffClient(relay.url);
    const answer = await client.signIn(link.url);
    if (answer.status !== 200) throw new Error(`sign-in answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return client;
  }

  const box = (serial?: string) => TestBox.make(relay.publicUrl, serial);

  return {
    ...relay,
    store,
    dataDir,
    staff,
    box,
    async claim(admin, siteId, serial) {
      const made = await box(serial);
      const started = await made.start();
      const session = started.body.session;
      const { number } = (await made.status(session)).body;
      const scanned = readQr(started.body.claimUrl);
      const seen = await admin.call<{ replaces: { applianceId: string } | null }>('lookupClaim', {
        body: { ...scanned, siteId },
      });
      const replaces = seen.body.replaces?.applianceId;
      const answer = await admin.call('claimBox', {
        params: { session },
        body: { ...scanned, siteId, number, ...(replaces === undefined ? {} : { replaces }) },
      });
      if (answer.status !== 200) throw new Error(`claim answered ${answer.status} ${JSON.stringify(answer.body)}`);
      const granted = await made.status(session);
      const applianceId = granted.body.grant?.applianceId;
      if (applianceId === undefined) throw new Error('the claim was not granted');
      await made.ack(session, applianceId);
      return { box: made, applianceId, session };
    },
  };
}
