import { readdir, readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, networkInterfaces, totalmem, uptime } from 'node:os';
import { AGENT_LIMITS, type Facts } from '@sitewarden/agent-proto/agent';

export interface TelemetryMeter {
  /** Facts since the last call; `cpu_percent` is the mean over that time. Never throws: what is not known is left out. */
  measure(): Promise<Facts>;
}

interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

const MAX_INTERFACES = 16;
const MAX_MOUNTS = 16;

export function createTelemetryMeter(): TelemetryMeter {
  let before = readCpu();
  return {
    async measure() {
      const now = readCpu();
      const total = now.total - before.total;
      const percent = total <= 0 ? undefined : Math.round(((now.busy - before.busy) * 100) / total);
      before = now;
      return boundFacts({
        cpu_count: cpus().length,
        ...(percent === undefined ? {} : { cpu_percent: Math.min(100, Math.max(0, percent)) }),
        memory_total_bytes: totalmem(),
        // Since libuv 1.45 this is what programs can still get, cache included, on Linux.
        memory_used_bytes: totalmem() - freemem(),
        uptime_s: Math.round(uptime()),
        ...(await diskFacts()),
        ...(await processFacts()),
        interfaces: interfaceTexts(),
      });
    },
  };
}

const { maxFactTextChars, maxFactListItems, maxFactsPerResult } = AGENT_LIMITS;

/** A mount point may be longer than the appliance takes; refusing the beat for it would silence the workstation. */
export function boundFacts(facts: Facts): Facts {
  const cut = (text: string) => text.slice(0, maxFactTextChars);
  const bounded = Object.entries(facts)
    .slice(0, maxFactsPerResult)
    .map(([name, value]) => {
      if (typeof value === 'string') return [name, cut(value)] as const;
      return [name, Array.isArray(value) ? value.slice(0, maxFactListItems).map(cut) : value] as const;
    });
  return Object.fromEntries(bounded);
}

function readCpu(): CpuTimes {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    total += all;
    busy += all - times.idle;
  }
  return { busy, total };
}

/** The root volume by number, and the others as `mount used total` lines in bytes. */
async function diskFacts(): Promise<Facts> {
  const root = process.platform === 'win32' ? 'C:\\' : '/';
  const usage = await diskUsage(root);
  if (usage === undefined) return {};
  const others: string[] = [];
  for (const mount of await otherMounts()) {
    const used = await diskUsage(mount);
    if (used !== undefined) others.push(`${mount} ${used.used} ${used.total}`);
  }
  return {
    disk_total_bytes: usage.total,
    disk_used_bytes: usage.used,
    ...(others.length === 0 ? {} : { disks: others }),
  };
}

async function diskUsage(path: string): Promise<{ total: number; used: number } | undefined> {
  try {
    const { bsize, blocks, bfree } = await statfs(path);
    return { total: blocks * bsize, used: (blocks - bfree) * bsize };
  } catch {
    return undefined;
  }
}

/** Mounted block devices besides the root; network mounts are left out, for asking them can hang. */
async function otherMounts(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return otherVolumes(text).slice(0, MAX_MOUNTS);
}

/**
 * Mount points of the volumes besides the root, from the text of `/proc/self/mountinfo`: each volume once, where all of it
 * is mounted; one that is only there in part, as in a container, at its shortest mount point.
 */
export function otherVolumes(mountinfo: string): string[] {
  const found = new Map<string, { readonly mount: string; readonly isWhole: boolean }>();
  let rootVolume: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [mounted = '', told = ''] = line.split(' - ');
    const [, , volume, part, at] = mounted.split(' ');
    const source = told.split(' ')[1];
    if (volume === undefined || at === undefined) continue;
    // What is mounted last at the root hides the others.
    if (at === '/') rootVolume = volume;
    if (!source?.startsWith('/dev/')) continue;
    const mount = at.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const isWhole = part === '/';
    const known = found.get(volume);
    const isBetter = known === undefined || (isWhole === known.isWhole ? mount.length < known.mount.length : isWhole);
    if (isBetter) found.set(volume, { mount, isWhole });
  }
  if (rootVolume !== undefined) found.delete(rootVolume);
  return [...found.values()].map(({ mount }) => mount);
}

async function processFacts(): Promise<Facts> {
  if (process.platform === 'linux') {
    const names = await readdir('/proc').catch(() => []);
    return { process_count: names.filter((name) => /^\d+$/.test(name)).length };
  }
  try {
    const { processes } = await import('systeminformation');
    return { process_count: (await processes()).all };
  } catch {
    return {};
  }
}

/** `eth0 10.0.0.5 52:54:00:12:34:56`, loopback left out. */
function interfaceTexts(): string[] {
  const texts: string[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { address, mac, internal } of addresses ?? []) {
      if (!internal) texts.push(`${name} ${address} ${mac}`);
    }
  }
  return texts.slice(0, MAX_INTERFACES);
}
