import { readdir } from 'node:fs/promises';
import { cpus, loadavg, networkInterfaces, uptime } from 'node:os';
import type { Facts } from '@sitewarden/agent-proto/agent';
import si from 'systeminformation';
import { diskSpace } from './disk.ts';
import { within } from './within.ts';

const SENSOR_TIMEOUT_MS = 5000;

/**
 * The box in integers and short texts; a fact that cannot be read is left out. No serial numbers and no addresses: nothing
 * here identifies the box.
 */
export async function hostFacts(dataDir: string): Promise<Facts> {
  const [load, memory, temperature, system, processes, root, data] = await Promise.all([
    within(si.currentLoad(), SENSOR_TIMEOUT_MS),
    within(si.mem(), SENSOR_TIMEOUT_MS),
    within(si.cpuTemperature(), SENSOR_TIMEOUT_MS),
    within(si.osInfo(), SENSOR_TIMEOUT_MS),
    within(countProcesses(), SENSOR_TIMEOUT_MS),
    within(diskSpace('/'), SENSOR_TIMEOUT_MS),
    within(diskSpace(dataDir), SENSOR_TIMEOUT_MS),
  ]);
  const cores = Math.max(1, cpus().length);
  return wholeFacts({
    cpu_percent: load?.currentLoad,
    cpu_cores: cores,
    load_percent: ((loadavg()[0] ?? 0) / cores) * 100,
    memory_total_bytes: memory?.total,
    memory_used_bytes: memory && memory.total - memory.available,
    swap_used_bytes: memory?.swapused,
    root_total_bytes: root?.totalBytes,
    root_free_bytes: root?.freeBytes,
    data_total_bytes: data?.totalBytes,
    data_free_bytes: data?.freeBytes,
    temperature_c: temperature?.main ?? undefined,
    uptime_s: uptime(),
    processes,
    interfaces: countInterfaces(),
    os: system && `${system.distro} ${system.release}`.slice(0, 128),
    kernel: system?.kernel.slice(0, 128),
  });
}

/** Rounds numbers, and leaves out what is missing or no number at all. */
export function wholeFacts(raw: Readonly<Record<string, number | string | undefined>>): Facts {
  const facts: Facts = {};
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value === 'string' && value.trim() !== '') facts[name] = value;
    if (typeof value === 'number' && Number.isSafeInteger(Math.round(value))) facts[name] = Math.round(value);
  }
  return facts;
}

async function countProcesses(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).length;
}

const countInterfaces = (): number =>
  Object.values(networkInterfaces()).filter((addresses) => addresses?.some((address) => !address.internal)).length;
