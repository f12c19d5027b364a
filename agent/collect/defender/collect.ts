import { open, stat } from 'node:fs/promises';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { wholeDays } from '../age.ts';
import { askTool } from '../ask-tool.ts';
import { listProcesses } from '../processes.ts';
import type { CollectContext, Observation } from '../types.ts';
import { parseClamVersion, parseVdbTime } from './clamav.ts';
import { ENGINES, type Engine, hasRealtime, isRunning } from './engines.ts';

const CLAMAV_DATABASES = ['/var/lib/clamav/daily.cld', '/var/lib/clamav/daily.cvd'];

export async function collectDefender(context: CollectContext): Promise<Observation[]> {
  const processes = await listProcesses();
  if (processes === undefined) {
    const probe_error = 'The processes of other accounts are hidden. Run the agent as root.';
    return [{ subject: '', facts: { probe_error } }];
  }
  const found: { engine: Engine; running: boolean }[] = [];
  for (const engine of ENGINES) {
    const running = isRunning(engine, processes);
    if (running || (await isInstalled(engine))) found.push({ engine, running });
  }
  const chosen = found.find(({ running }) => running) ?? found[0];
  const facts: Facts = { engines_found: found.map(({ engine }) => engine.name) };
  if (chosen !== undefined) {
    facts.engine = chosen.engine.name;
    facts.engine_running = chosen.running;
    if (chosen.running) facts.realtime = hasRealtime(chosen.engine, processes);
    if (chosen.engine.signatures === 'clamav') Object.assign(facts, await clamavFacts(context));
  } else {
    facts.engine_running = false;
  }
  return [{ subject: '', facts }];
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
