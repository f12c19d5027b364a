import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../scripts/lib/wait.ts';
import { type System, startSystem } from '../helpers/system.ts';
import type { Figure } from './benches.ts';
import { median, rounded } from './lib/figures.ts';

const ROUNDS = 20;
/** The first ones compile what the others run; an order stands for one of any day. */
const WARM_UP = 2;
/** What a box follows at once, less those and the request at its connection; after that, one in six seconds. */
const AT_ONCE = 6;
const SPACED_MS = 6200;
/** As on a real box. */
const CHECKIN_INTERVAL_MS = 60_000;
const CONTROLS = 4;
/** The times are the relay's, so looking more often would only disturb. */
const LOOK_EVERY_MS = 200;
/** The cheapest check: the way is measured, not the workstation. */
const CHECK = 'services';

interface Order {
  readonly id: string;
  readonly state: string;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
}

/** Real relay, appliance and agent on loopback; both times are the relay's own, of the order and of its last receipt. */
export async function run(): Promise<Figure[]> {
  const system = await startSystem({ wake: true, checkinIntervalMs: CHECKIN_INTERVAL_MS, checkIntervalMs: 3_600_000 });
  try {
    await system.startAgent();
    const agentId = await waitFor('the agent at the relay', () => firstAgent(system), 30_000);
    await connectedAs(system, 'connected');
    for (let i = 0; i < WARM_UP; i += 1) await done(system, await give(system, agentId));
    const values: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round >= AT_ONCE) await delay(SPACED_MS);
      values.push(await done(system, await give(system, agentId)));
    }
    const controls = await withoutWake(system, agentId);
    const [p50, without] = [rounded(median(values)), rounded(median(controls))];
    const note = `goal 300; median ${p50}; ${ROUNDS} orders after ${WARM_UP} to warm up; control: the wake-up off, median of ${CONTROLS} orders spread over the ${CHECKIN_INTERVAL_MS / 1000} s between check-ins`;
    const value = rounded(p95(values));
    return [{ name: 'order-latency', value, unit: 'ms', control: without, ratio: rounded(value / without), note }];
  } finally {
    await system.close();
  }
}

/** Given over one interval, so that they stand for orders given at any moment of it. */
async function withoutWake(system: System, agentId: string): Promise<number[]> {
  await system.appliance.stop();
  await system.startAppliance({ wake: false });
  await connectedAs(system, 'off');
  await waitFor('the agent is back', () => isAgentBack(system), 60_000);
  const given: string[] = [];
  for (let i = 0; i < CONTROLS; i += 1) {
    if (i > 0) await delay(CHECKIN_INTERVAL_MS / CONTROLS);
    given.push(await give(system, agentId));
  }
  return Promise.all(given.map((id) => done(system, id)));
}

async function firstAgent({ staff, siteId }: System): Promise<string | undefined> {
  const { agents } = await staff.call<{ agents: { id: string }[] }>('GET', `/api/sites/${siteId}/agents`);
  return agents[0]?.id;
}

async function localStatus({ appliance }: System) {
  const answer = await fetch(`${appliance.localUrl}/api/local/status`);
  return (await answer.json()) as { wake: { state: string }; agents: { connected: number } };
}

const connectedAs = (system: System, state: string) =>
  waitFor(`the wake-up is ${state}`, async () => (await localStatus(system)).wake.state === state, 30_000);
const isAgentBack = async (system: System) => (await localStatus(system)).agents.connected === 1;

async function give({ staff, siteId }: System, agentId: string): Promise<string> {
  const wish = { action: 'run_check', agentId, checks: [CHECK] };
  return (await staff.call<Order>('POST', `/api/sites/${siteId}/orders`, wish)).id;
}

async function done({ staff, siteId }: System, id: string): Promise<number> {
  const order = await waitFor(
    `order ${id} is done`,
    async () => {
      const { orders } = await staff.call<{ orders: Order[] }>('GET', `/api/sites/${siteId}/orders`);
      return orders.find((one) => one.id === id && one.state === 'done');
    },
    2 * CHECKIN_INTERVAL_MS,
    LOOK_EVERY_MS,
  );
  return order.changedAtMs - order.createdAtMs;
}

function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] as number;
}
