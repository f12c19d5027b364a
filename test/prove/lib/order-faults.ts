import { join } from 'node:path';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import Database from 'better-sqlite3';
import { waitFor } from '../../../scripts/lib/wait.ts';
import type { System } from '../../helpers/system.ts';
import { type BoxState, boxState, type OrderWorld, WITHIN_MS } from './order-world.ts';

export const REDELIVERIES = 3;

/** What happens to an order on its way; resolves when it has happened. `id`: of staff's order. */
export type OrderFault = (world: OrderWorld, id: string) => Promise<void>;

const agentLog = ({ base }: System, action: (db: Database.Database) => unknown, isReadonly = true): unknown => {
  const db = new Database(join(base, 'agent', 'queue.db'), { readonly: isReadonly, timeout: 2000 });
  try {
    return action(db);
  } finally {
    db.close();
  }
};

const atBox = (wanted: (state: BoxState) => boolean) => (system: System, id: string) =>
  waitFor('the state on the box', async () => wantedOrOver(boxState(system, id), wanted), WITHIN_MS, 1);

const wantedOrOver = (state: BoxState | undefined, wanted: (state: BoxState) => boolean): true | undefined =>
  state !== undefined && (wanted(state) || state.isOver) ? true : undefined;

async function killBox({ system }: OrderWorld): Promise<void> {
  system.appliance.kill('SIGKILL');
  await system.appliance.exited;
  await system.startAppliance();
}

async function killAgent({ system }: OrderWorld): Promise<void> {
  system.agent?.kill('SIGKILL');
  await system.agent?.exited;
  await system.startAgent();
}

async function killRelay({ system }: OrderWorld): Promise<void> {
  system.relay.kill('SIGKILL');
  await system.relay.exited;
  await system.startRelay();
}

/** Kills the box as soon as its own rows say so. */
const boxKilledAt =
  (wanted: (state: BoxState) => boolean): OrderFault =>
  async (world, id) => {
    await atBox(wanted)(world.system, id);
    await killBox(world);
  };

const agentKilledAt =
  (wanted: string): OrderFault =>
  async (world, id) => {
    await atBox(({ agent }) => agent !== undefined)(world.system, id);
    const newest = 'SELECT state FROM agent_order ORDER BY received_at_ms DESC LIMIT 1';
    const before = agentLog(world.system, (db) => db.prepare('SELECT count(*) FROM agent_order').pluck().get());
    const isThere = async () => {
      const count = agentLog(world.system, (db) => db.prepare('SELECT count(*) FROM agent_order').pluck().get());
      const state = agentLog(world.system, (db) => db.prepare(newest).pluck().get());
      const isOver = boxState(world.system, id)?.isOver;
      return (Number(count) > Number(before) && state === wanted) || state === 'started' || isOver;
    };
    await waitFor(`the agent's ${wanted}`, isThere, WITHIN_MS, 1);
    await killAgent(world);
  };

export const ORDER_FAULTS: Readonly<Record<string, OrderFault>> = {
  'no fault': async () => {},
  // The relay hears of nothing, and so gives it again and again.
  'given again': async ({ system }, id) => {
    system.proxy.decide = (path, method) => (method === 'POST' && path === BOX_PATHS.outbox ? 'refuse' : 'pass');
    let asked = 0;
    const observe = system.proxy.observe;
    system.proxy.observe = (exchange) => {
      observe(exchange);
      if (exchange.path === BOX_PATHS.orders && exchange.answerBody.includes('payload')) asked += 1;
    };
    await waitFor(`${id} to be given again`, async () => asked > REDELIVERIES, WITHIN_MS, 20);
    system.proxy.decide = () => 'pass';
  },
  'receipts taken, and the answers to them lost': async ({ system }, id) => {
    let lost = 0;
    system.proxy.decide = (path) => (path === BOX_PATHS.outbox && ++lost <= REDELIVERIES ? 'lose-answer' : 'pass');
    await atBox(({ isOver }) => isOver)(system, id);
  },
  'answers lost on the way to the box': async ({ system }, id) => {
    let lost = 0;
    system.proxy.decide = (path) => (path === BOX_PATHS.orders && ++lost <= REDELIVERIES ? 'lose-answer' : 'pass');
    await atBox(() => true)(system, id);
  },
  'box killed when it has it': boxKilledAt(() => true),
  'box killed when the agent is to get it': boxKilledAt(({ agent }) => agent === 'queued' || agent === 'delivered'),
  'box killed when the agent has begun': boxKilledAt(({ agent }) => agent === 'started'),
  'box killed when the agent is done': boxKilledAt(({ agent }) => agent === 'done'),
  'box killed at its end': boxKilledAt(({ isOver }) => isOver),
  'agent killed when it has begun': agentKilledAt('started'),
  'agent killed when it is done': agentKilledAt('done'),
  'relay killed when the box has it': async (world, id) => {
    await atBox(() => true)(world.system, id);
    await killRelay(world);
  },
  'all three killed': async (world, id) => {
    await atBox(() => true)(world.system, id);
    await killBox(world);
    await killAgent(world);
    await killRelay(world);
  },
};
