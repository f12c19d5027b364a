import { open, stat } from 'node:fs/promises';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { wholeDays } from '../age.ts';
import { askTool } from '../ask-tool.ts';
import { listProcesses, type ProcessEntry } from '../processes.ts';
import type { CollectContext, Observation } from '../types.ts';
import { parseClamVersion, parseVdbTime } from './clamav.ts';
import { ENGINES, type Engine } from './engines.ts';
import { doubtAbout, readProgram } from './trust.ts';

/** Of one name: many are an attempt to hide the one that counts, or to keep the agent busy. */
const MAX_LOOKED_AT = 256;
const CLAMAV_DATABASES = ['/var/lib/clamav/daily.cld', '/var/lib/clamav/daily.cvd'];

export async function collectDefender(context: CollectContext): Promise<Observation[]> {
  const processes = await listProcesses();
  if (processes === undefined) {
    const probe_error = 'The processes of other accounts are hidden. Run the agent as root.';
    return [{ subject: '', facts: { probe_error } }];
  }
  const found: Sight[] = [];
  for (const engine of ENGINES) {
    const { running, doubt } = await lookFor(engine, engine.processes, processes);
    if (running || doubt !== undefined || (await isInstalled(engine))) found.push({ engine, running, doubt });
  }
  const chosen = found.find(({ running }) => running) ?? found.find(({ doubt }) => doubt !== undefined) ?? found[0];
  const facts: Facts = { engines_found: found.map(({ engine }) => engine.name) };
  if (chosen === undefined) return [{ subject: '', facts: { ...facts, engine_running: false } }];
  facts.engine = chosen.engine.name;
  facts.reported_by = 'process';
  // What only looks like an engine is neither one that runs nor one that stands still.
  if (!chosen.running && chosen.doubt !== undefined)
    return [{ subject: '', facts: { ...facts, probe_error: chosen.doubt } }];
  facts.engine_running = chosen.running;
  if (chosen.running) facts.realtime = await hasRealtime(chosen.engine, processes);
  if (chosen.engine.signatures === 'clamav') Object.assign(facts, await clamavFacts(context));
  return [{ subject: '', facts }];
}

interface Sight {
  readonly engine: Engine;
  readonly running: boolean;
  /** Why a process with its name is not believed to be it. */
  readonly doubt: string | undefined;
}

async function lookFor(
  engine: Engine,
  names: readonly string[],
  processes: readonly ProcessEntry[],
): Promise<Pick<Sight, 'running' | 'doubt'>> {
  let doubt: string | undefined;
  for (const { pid } of processes.filter(({ comm }) => names.includes(comm)).slice(0, MAX_LOOKED_AT)) {
    const program = await readProgram(pid, engine);
    if (program === undefined) continue;
    const found = doubtAbout(engine, program);
    if (found === undefined) return { running: true, doubt: undefined };
    doubt ??= found;
  }
  return { running: false, doubt };
}

async function hasRealtime(engine: Engine, processes: readonly ProcessEntry[]): Promise<boolean> {
  if (engine.realtime === undefined) return true;
  return (await lookFor(engine, engine.realtime, processes)).running;
}

async function isInstalled(engine: Engine): Promise<boolean> {
  const present = await Promise.all(
    engine.paths.map((path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return present.includes(true);
}

async function clamavFacts({ nowMs, signal }: CollectContext): Promise<Facts> {
  const facts: Facts = {};
  const version = await askTool(['clamd', '--version'], { timeoutMs: 5000, signal });
  const parsed = version.ok ? parseClamVersion(version.stdout) : undefined;
  if (parsed !== undefined) facts.engine_version = parsed;
  const times = (await Promise.all(CLAMAV_DATABASES.map(readVdbTime))).filter((time) => time !== undefined);
  const ageDays = times.length === 0 ? undefined : wholeDays(nowMs - Math.max(...times));
  if (ageDays !== undefined) facts.signature_age_days = ageDays;
  return facts;
}

async function readVdbTime(path: string): Promise<number | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
      return parseVdbTime(buffer.toString('latin1', 0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
