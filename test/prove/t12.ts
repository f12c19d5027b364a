import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RelayConfig } from '../../relay/config/index.ts';
import type { Role } from '../../relay/lib/roles.ts';
import type { Store } from '../../relay/store/index.ts';
import { readQr, type TestBox } from '../helpers/box.ts';
import { sqliteStores } from '../helpers/engines.ts';
import { postgresConfig, startPostgres } from '../helpers/postgres.ts';
import {
  giveAllSites,
  type Site,
  seedPartner,
  seedSite,
  startTestRelay,
  type TestClock,
  type TestRelay,
  testClock,
} from '../helpers/relay.ts';
import { seedTenant } from '../helpers/seed-tenant.ts';
import type { StaffClient } from '../helpers/staff-client.ts';
import { check, newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

const PARALLEL = 200;
const PARALLEL_STAFF = 20;

/** One claim, one winner: whole relays on both engines, boxes and people at once over HTTP. */
export async function run({ full }: { full: boolean; seed: number }): Promise<ProofResult> {
  const tally = newTally();
  const rounds = full ? { sqlite: 50, postgres: 50 } : { sqlite: 1, postgres: 1 };
  await withRelay(undefined, (world) => proveRounds(world, rounds.sqlite, tally));
  const server = await startPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'sitewarden-t12-'));
  try {
    const store = await postgresConfig(await server.createDatabase(), folder);
    await withRelay(store, (world) => proveRounds(world, rounds.postgres, tally));
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const winners = await claimWithoutAtomicUpdate();
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: winners > 1,
      detail: `reading first and writing then let ${winners} of ${PARALLEL} boxes win`,
    },
    detail: tally.faults.slice(0, 5).join('; ') || `${rounds.sqlite + rounds.postgres} rounds of ${PARALLEL} boxes`,
  };
}

interface World extends Site {
  readonly relay: TestRelay;
  readonly clock: TestClock;
  readonly admin: StaffClient;
}

async function withRelay(
  store: RelayConfig['store'] | undefined,
  work: (world: World) => Promise<void>,
): Promise<void> {
  const cleanups: (() => Promise<void>)[] = [];
  try {
    const clock = testClock();
    const relay = await startTestRelay((fn) => cleanups.push(fn), { clock, ...(store ? { store } : {}) });
    const site = await seedSite(relay.store, await seedPartner(relay.store));
    await work({ relay, clock, ...site, admin: await relay.staff(site.partnerId, 'admin') });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

async function proveRounds(world: World, rounds: number, tally: Tally): Promise<void> {
  const { relay } = world;
  // Keys are made once: a round is about secrets, and each has its own.
  const boxes = await Promise.all(Array.from({ length: PARALLEL }, () => relay.box()));
  for (let round = 0; round < rounds; round += 1) {
    await raceForCode(world, boxes, tally);
    await expire(world, boxes[0] as TestBox, tally);
  }
  await raceForBox(world, tally);
}

/** Many boxes present one secret at the same time. */
async function raceForCode(world: World, boxes: readonly TestBox[], tally: Tally): Promise<void> {
  const { relay, admin, siteId, partnerId } = world;
  const code = await admin.call<{ url: string; code: { id: string } }>('createCode', { body: { siteId } });
  const { secret } = readQr(code.body.url);
  const answers = await Promise.all(boxes.map((box) => box.presentQr(secret)));
  const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
  const losers = answers.filter(
    ({ status, body }) => status === 409 && (body as { code?: string }).code === 'CODE_USED',
  );
  check(tally, winners.length === 1, `${winners.length} winners of one secret`);
  check(
    tally,
    losers.length === boxes.length - 1,
    `${losers.length} of ${boxes.length - 1} losers were told CODE_USED`,
  );

  const winner = boxes[winners[0] ?? 0] as TestBox;
  const first = answers[winners[0] ?? 0]?.body;
  const again = await winner.presentQr(secret);
  check(tally, again.status === 200 && again.body.session === first?.session, 'the same key got another answer');
  check(tally, again.body.number === first?.number && again.body.grant === undefined, 'the repeated answer differs');

  const stranger = await relay.box();
  const replay = await stranger.presentQr(secret);
  check(tally, replay.status === 409, `a replay was answered ${replay.status}`);

  const session = first?.session ?? '';
  const view = await admin.call<{ disputed: boolean; number: string }>('claimSession', { params: { session } });
  check(tally, view.body.disputed, 'the dispute is not shown');
  const alarms = await auditCount(relay.store, partnerId, { action: 'claim.disputed', ref: session });
  check(tally, alarms === 1, `${alarms} alarms for one dispute`);
  const approved = await admin.call<{ code: string }>('approveClaim', {
    params: { session },
    body: { number: view.body.number },
  });
  check(tally, approved.status === 409 && approved.body.code === 'CLAIM_DISPUTED', 'a disputed claim was approved');
  const sessions = await rowCount(relay.store, partnerId, code.body.code.id);
  check(tally, sessions === 1, `${sessions} claims came of one code`);
}

async function auditCount(store: Store, partnerId: string, event: { action: string; ref: string }): Promise<number> {
  const rows = await store.inTenant(partnerId, (trx) =>
    trx
      .selectFrom('audit_event')
      .select('id')
      .where('action', '=', event.action)
      .where('ref', '=', event.ref)
      .execute(),
  );
  return rows.length;
}

async function rowCount(store: Store, partnerId: string, codeId: string): Promise<number> {
  const rows = await store.inTenant(partnerId, (trx) =>
    trx.selectFrom('provision_session').select('id').where('code_id', '=', codeId).execute(),
  );
  return rows.length;
}

/** A code is good until its last millisecond and not one longer. */
async function expire({ clock, admin, siteId }: World, box: TestBox, tally: Tally): Promise<void> {
  const fresh = async () =>
    readQr((await admin.call<{ url: string }>('createCode', { body: { siteId } })).body.url).secret;
  const late = await fresh();
  clock.advance(10 * 60_000 + 1000);
  const send = async (secret: string) => {
    const body = { ...box.facts(), boxNonce: box.boxNonce, code: { form: 'qr', secret } };
    return box.send<{ code?: string }>('/api/provision/claim', { body, createdS: Math.floor(clock.nowMs() / 1000) });
  };
  const answer = await send(late);
  check(tally, answer.status === 404 && answer.body.code === 'CODE_INVALID', `an expired code gave ${answer.status}`);
  const unknown = await send('AAAAAAAAAAAAAAAAAAAAAA');
  check(tally, JSON.stringify(unknown.body) === JSON.stringify(answer.body), 'unknown and expired do not look alike');
  // The other boxes sign with real time.
  clock.advance(-(10 * 60_000 + 1000));
}

/** Many people claim the box that shows its code, for sites of different companies. */
async function raceForBox({ relay }: World, tally: Tally): Promise<void> {
  const people = await Promise.all(
    Array.from({ length: PARALLEL_STAFF }, async (_, index) => {
      const partnerId = await seedPartner(relay.store, `Partner ${index}`);
      const { siteId } = await seedSite(relay.store, partnerId);
      const role: Role = index % 2 === 0 ? 'admin' : 'technician';
      const client = await relay.staff(partnerId, role);
      await giveAllSites(relay.store, partnerId);
      return { partnerId, siteId, client };
    }),
  );
  const box = await relay.box();
  const started = await box.start();
  const { session, claimUrl } = started.body;
  const { number } = (await box.status(session)).body;
  const answers = await Promise.all(
    people.map(({ client, siteId }) =>
      client.call('claimBox', { params: { session }, body: { ...readQr(claimUrl), siteId, number } }),
    ),
  );
  const winners = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 404 || status === 409);
  check(tally, winners.length === 1, `${winners.length} companies claimed one box`);
  check(tally, refused.length === people.length - 1, `${refused.length} of ${people.length - 1} were refused`);
}

/** The control: the same race decided by reading whether the code is free and marking it used afterwards. */
async function claimWithoutAtomicUpdate(): Promise<number> {
  const { store, close } = await sqliteStores().make();
  try {
    const { partnerId, rows } = await seedTenant(store);
    const id = rows.provision_code.id;
    const claims = Array.from({ length: PARALLEL }, async (_, index) => {
      const code = await store.inTenant(partnerId, (trx) =>
        trx.selectFrom('provision_code').select('used_at_ms').where('id', '=', id).executeTakeFirstOrThrow(),
      );
      if (code.used_at_ms !== null) return false;
      await store.inTenant(partnerId, (trx) =>
        trx
          .updateTable('provision_code')
          .set({ used_at_ms: 1, used_by_fingerprint: `box ${index}` })
          .where('id', '=', id)
          .execute(),
      );
      return true;
    });
    return (await Promise.all(claims)).filter(Boolean).length;
  } finally {
    await close();
  }
}
