import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import Database from 'better-sqlite3';
import { waitFor } from '../../../scripts/lib/wait.ts';
import { declareDaemon, type System, startSystem } from '../../helpers/system.ts';

const SERVICE = 'counted';
const ENDS = ['done', 'failed', 'refused', 'expired', 'indeterminate'];
export const WITHIN_MS = 60_000;

export interface Order {
  readonly id: string;
  readonly state: string;
  readonly code: string | null;
}

/** Real relay, box and agent, and an order whose effect can be counted. */
export interface OrderWorld {
  readonly system: System;
  readonly wish: { readonly action: string; readonly agentId: string; readonly params: { readonly service: string } };
  /** How often the service was started. */
  effects(): number;
  close(): Promise<void>;
}

export async function makeOrderWorld(): Promise<OrderWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-t10-'));
  const starts = join(folder, 'starts');
  writeFileSync(starts, '');
  const manager = await declareDaemon(folder, SERVICE, [join(import.meta.dirname, 'counted-daemon.ts'), starts]);
  await manager.start(SERVICE);
  // Only orders restart it: no check is due, and it is never found down by one.
  const system = await startSystem({
    ...{ agentTier: 1, requiredServices: [SERVICE], pidfileDir: folder, checkIntervalMs: 86_400_000 },
    logLevel: 'warn',
  });
  const close = async () => {
    await system.close();
    await manager.stop(SERVICE).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await system.startAgent();
    const agentId = await waitFor('the agent at the relay', () => readyAgent(system), WITHIN_MS);
    const wish = { action: 'restart_service', agentId, params: { service: SERVICE } };
    return { system, wish, close, effects: () => readFileSync(starts, 'utf8').length };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readyAgent({ staff, siteId }: System): Promise<string | undefined> {
  type Answer = { agents: { id: string; tier: number }[] };
  const { agents } = await staff.call<Answer>('GET', `/api/sites/${siteId}/agents`);
  return agents[0]?.tier === 1 ? agents[0].id : undefined;
}

/** Answers the id of staff's order. */
export async function give({ system, wish }: OrderWorld): Promise<string> {
  return (await system.staff.call<Order>('POST', `/api/sites/${system.siteId}/orders`, wish)).id;
}

async function orderOf({ staff, siteId }: System, id: string): Promise<Order> {
  const { orders } = await staff.call<{ orders: Order[] }>('GET', `/api/sites/${siteId}/orders`);
  return orders.find((one) => one.id === id) as Order;
}

/** What the relay shows in the end. */
export const ended = ({ system }: OrderWorld, id: string): Promise<Order> =>
  waitFor(
    `the end of ${id}`,
    async () => {
      const order = await orderOf(system, id).catch(() => undefined);
      return order !== undefined && ENDS.includes(order.state) ? order : undefined;
    },
    WITHIN_MS,
    50,
  );

/** The box has nothing of the order under way, and has asked the relay twice since. */
export async function isQuiet({ system }: OrderWorld, id: string): Promise<void> {
  await waitFor('the box to be done with it', async () => boxState(system, id)?.isOver, WITHIN_MS, 50);
  let asked = 0;
  const decide = system.proxy.decide;
  system.proxy.decide = (path) => {
    if (path === BOX_PATHS.checkin) asked += 1;
    return 'pass';
  };
  await waitFor('two check-ins', async () => asked > 2, WITHIN_MS, 50);
  system.proxy.decide = decide;
}

export interface BoxState {
  readonly relay: string;
  /** Of the order to the agent; undefined before it is made. */
  readonly agent: string | undefined;
  readonly isOver: boolean;
}

/** Where the order stands on the box's disk. */
export function boxState({ base }: System, id: string): BoxState | undefined {
  const db = new Database(join(base, 'appliance', 'appliance.db'), { readonly: true, timeout: 2000 });
  try {
    const relay = db.prepare('SELECT state FROM relay_order WHERE order_id = ?').pluck().get(id);
    if (relay === undefined) return undefined;
    const agent = db.prepare("SELECT state FROM agent_order WHERE relay_order_id = ? AND action <> 'run_check'");
    const state = agent.pluck().get(id) as string | undefined;
    return { relay: String(relay), agent: state, isOver: ENDS.includes(String(relay)) };
  } finally {
    db.close();
  }
}
