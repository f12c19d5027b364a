import { join } from 'node:path';
import { BOX_PATHS, type OrdersResponse } from '@sitewarden/agent-proto/http';
import Database from 'better-sqlite3';
import { waitFor } from '../../scripts/lib/wait.ts';
import type { System } from '../helpers/system.ts';
import { makeBadOrders } from './lib/bad-orders.ts';
import { ORDER_FAULTS, type OrderFault, REDELIVERIES } from './lib/order-faults.ts';
import { ended, give, isQuiet, makeOrderWorld, type Order, type OrderWorld, WITHIN_MS } from './lib/order-world.ts';
import { seededRandom } from './lib/random.ts';
import { check, newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

/** As many as one answer of the relay may hold. */
const BATCH = 100;
/** In the quick form. */
const ALWAYS: readonly string[] = [
  'given again',
  'box killed when the agent has begun',
  'agent killed when it has begun',
];
const OTHERS = 2;

/**
 * A service that is restarted by order. Given again and again, with each program killed while the order stands at each of
 * its states, it is restarted once at the most, and where nobody can know the order says so. Orders that are forged, old,
 * used, for another box or for another life of it do nothing.
 */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const tally = newTally();
  const world = await makeOrderWorld();
  try {
    const ends = new Map<string, number>();
    const faults = Object.entries(ORDER_FAULTS);
    const random = seededRandom(seed);
    for (let round = 0; round < (full ? 10 : 1); round += 1) {
      for (const [name, fault] of full ? faults : someOf(faults, random)) {
        const { state } = await oneOrder(world, { name, fault, tally });
        ends.set(state, (ends.get(state) ?? 0) + 1);
      }
    }
    const given = await giveBadOrders(world, { count: full ? 10_000 : 1000, random, tally });
    const times = await withoutMemory(world);
    const said = [...ends].map(([state, count]) => `${count} ${state}`).join(', ');
    return {
      cases: tally.cases,
      failures: tally.faults.length,
      control: {
        expectedToFail: true,
        failed: times > 1,
        detail: `the same order, given again to a box and an agent that had forgotten it, was done ${times} times`,
      },
      detail: tally.faults.slice(0, 5).join('; ') || `${said}; ${given} bad orders in vain`,
    };
  } finally {
    await world.close();
  }
}

/** Those that most depends on, and a few others. */
function someOf<T>(faults: readonly [string, T][], random: () => number): readonly [string, T][] {
  const others = faults.filter(([name]) => !ALWAYS.includes(name));
  const some = Array.from({ length: OTHERS }, () => others.splice(Math.floor(random() * others.length), 1)[0]);
  return [...faults.filter(([name]) => ALWAYS.includes(name)), ...(some as [string, T][])];
}

/** One order with one fault; what it came to, and whether that is true. */
async function oneOrder(world: OrderWorld, { name, fault, tally }: { name: string; fault: OrderFault; tally: Tally }) {
  const before = world.effects();
  const deliveries = countDeliveries(world.system);
  let order: Order = { id: '', state: 'unknown', code: null };
  try {
    const id = await give(world);
    deliveries.of(id);
    await fault(world, id);
    order = await ended(world, id);
    // What would be done a second time is done soon.
    await isQuiet(world, id);
  } catch (error) {
    tally.faults.push(`${name}: ${(error as Error).message}`);
  } finally {
    world.system.proxy.decide = () => 'pass';
  }
  const effects = world.effects() - before;
  check(tally, effects <= 1, `${name}: done ${effects} times`);
  check(tally, order.state !== 'done' || effects === 1, `${name}: said to be done, and was done ${effects} times`);
  // Whoever says that nothing was done must be right.
  const denies = order.state === 'refused' || order.state === 'expired';
  check(tally, !denies || effects === 0, `${name}: said to be ${order.state} (${order.code}), and was done`);
  if (name === 'given again') check(tally, deliveries.count() > REDELIVERIES, `${name}: ${deliveries.count()} times`);
  deliveries.end();
  return order;
}

/** How often the relay gave an order to the box. */
function countDeliveries({ proxy }: System) {
  let [wanted, count] = ['', 0];
  proxy.observe = ({ path, answerBody, status }) => {
    if (path !== BOX_PATHS.orders || status !== 200 || wanted === '') return;
    const { orders } = JSON.parse(answerBody.toString('utf8')) as OrdersResponse;
    if (orders.some((envelope) => payloadOf(envelope).orderId === wanted)) count += 1;
  };
  return {
    of: (id: string) => {
      wanted = id;
    },
    count: () => count,
    end: () => {
      proxy.observe = () => {};
    },
  };
}

function payloadOf(envelope: string): { orderId: string } {
  const { payload } = JSON.parse(envelope) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
}

/** The relay's answers are replaced by orders that must not be run; how many were given. */
async function giveBadOrders(
  world: OrderWorld,
  { count, random, tally }: { count: number; random: () => number; tally: Tally },
): Promise<number> {
  const { system, wish } = world;
  const { action, agentId, params } = wish;
  const bad = await makeBadOrders({
    dataDir: join(system.base, 'relay'),
    host: new URL(system.proxy.url).hostname,
    box: boxOf(system),
    wish: { action, params: { agent_id: agentId, ...params } },
    random,
  });
  const kinds = new Map<string, string>();
  const giveInstead = async (wanted: number, make: () => ReturnType<typeof bad.next>) => {
    let given = 0;
    system.proxy.rewrite = (path, body) => {
      if (path !== BOX_PATHS.orders || given >= wanted) return body;
      const batch = Array.from({ length: BATCH }, make);
      for (const { orderId, kind } of batch) kinds.set(orderId, kind);
      given += batch.length;
      return Buffer.from(JSON.stringify({ orders: batch.map(({ envelope }) => envelope) }));
    };
    // The box asks for as long as the relay says that something waits: a good order, which comes last.
    const id = await give(world);
    await waitFor(`${wanted} bad orders to be given`, async () => given >= wanted, WITHIN_MS * 4, 50);
    return id;
  };

  const before = world.effects();
  const good = await giveInstead(count, bad.next);
  check(tally, (await ended(world, good)).state === 'done', 'the good order among the bad ones was not done');
  await isQuiet(world, good);
  check(tally, world.effects() - before === 1, `${world.effects() - before} effects of one good order`);

  // Their numbers are good, so the relay's own next orders are old to the box from here on.
  await giveInstead(BATCH, bad.expired);
  await waitFor('the box to refuse them', async () => taken(system, kinds).length >= BATCH, WITHIN_MS, 50);
  tally.cases += kinds.size;
  for (const { id, state, hasAgentOrder } of taken(system, kinds)) {
    const kind = kinds.get(id);
    const isRefused = kind === 'expired' && state === 'expired' && !hasAgentOrder;
    if (!isRefused) tally.faults.push(`an order (${kind}) came to be ${state}`);
  }
  check(tally, world.effects() - before === 1, `${world.effects() - before} effects after the expired ones`);
  return kinds.size;
}

/** Which of these orders the box has noted at all. */
function taken(system: System, ids: ReadonlyMap<string, string>) {
  type Row = { id: string; state: string; hasAgentOrder: number };
  const asked = `SELECT order_id AS id, state,
    EXISTS (SELECT 1 FROM agent_order WHERE relay_order_id = order_id) AS hasAgentOrder FROM relay_order`;
  return inBox(system, (db) => db.prepare<[], Row>(asked).all()).filter(({ id }) => ids.has(id));
}

function boxOf(system: System) {
  return inBox(system, (db) => {
    const claim = JSON.parse(String(db.prepare("SELECT value FROM state WHERE name = 'claim'").pluck().get()));
    const maxSeq = Number(db.prepare('SELECT max(seq) FROM relay_order').pluck().get());
    const { applianceId, epoch } = claim.site as { applianceId: string; epoch: number };
    return { applianceId, epoch, maxSeq };
  });
}

function inBox<T>({ base }: System, work: (db: Database.Database) => T, isReadonly = true): T {
  const db = new Database(join(base, 'appliance', 'appliance.db'), { readonly: isReadonly, timeout: 5000 });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** The control: how often one order is done when box and agent are made to forget it and are given it again. */
async function withoutMemory(world: OrderWorld): Promise<number> {
  const { system } = world;
  await forget(world);
  const before = world.effects();
  let genuine: Buffer | undefined;
  system.proxy.rewrite = (path, body) => {
    if (path !== BOX_PATHS.orders) return body;
    if (genuine === undefined && body.includes('payload')) genuine = body;
    return genuine ?? body;
  };
  await give(world);
  await waitFor('the order to be done', async () => world.effects() > before, WITHIN_MS, 50);
  await forget(world);
  await give(world);
  await waitFor('it to be done again', async () => world.effects() - before > 1, WITHIN_MS, 50).catch(() => {});
  system.proxy.rewrite = (_path, body) => body;
  return world.effects() - before;
}

async function forget({ system }: OrderWorld): Promise<void> {
  await system.agent?.stop();
  await system.appliance.stop();
  inBox(system, (db) => db.exec('DELETE FROM agent_order; DELETE FROM relay_order'), false);
  const db = new Database(join(system.base, 'agent', 'queue.db'), { timeout: 5000 });
  db.exec('DELETE FROM agent_order');
  db.close();
  await system.startAppliance();
  await system.startAgent();
}
