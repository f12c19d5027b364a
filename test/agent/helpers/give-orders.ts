import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Facts } from '@sitewarden/agent-proto/agent';
import type { Answer, MenderOptions } from './mender.ts';

const CHILD = fileURLToPath(new URL('../heal/children/give-orders.ts', import.meta.url));

export interface GiveOrders extends Pick<MenderOptions, 'dir' | 'tier' | 'requiredServices'> {
  readonly orders: readonly (readonly [action: string, params?: Facts, orderId?: string])[];
  readonly timeoutMs?: number;
}

/** In a process of its own, behind `wrapper`: argv of what sets the scene. */
export async function giveOrders({ timeoutMs = 120_000, ...given }: GiveOrders, wrapper: readonly string[]) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const [program, ...args] = [...wrapper, process.execPath, CHILD, JSON.stringify(given)];
  const { stdout } = await promisify(execFile)(program!, args, { env, timeout: timeoutMs });
  return JSON.parse(stdout.split('\n').at(-1)!) as Answer[];
}
