// `npm start`: the whole of Sitewarden on this host, for real. See scripts/start/options.ts for its arguments.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCodedError } from '@sitewarden/kit/errors';
import { acquireLock, ensureDir, type FileLock } from '@sitewarden/kit/files';
import type { LocalStatus } from '../appliance/local/status.ts';
import { ENTRIES, type Running, runProgram, type Spawned, startProgram } from './lib/programs.ts';
import { initRelay, makeSignInLink } from './lib/relay-setup.ts';
import { type StaffClient, signIn } from './lib/staff-client.ts';
import { type DemoService, makeDemoService } from './start/demo-service.ts';
import { startError } from './start/errors.ts';
import { identify, stopLeftovers } from './start/leftovers.ts';
import { HELP, parseOptions, type StartOptions } from './start/options.ts';
import { choosePorts, type Ports } from './start/ports.ts';
import { watchSite } from './start/progress.ts';
import { type Remembered, readRemembered, writeRemembered } from './start/remembered.ts';
import { claimBox, prepareSite } from './start/site.ts';

const root = join(import.meta.dirname, '..');
const running: Spawned[] = [];
let service: DemoService | undefined;
let isStopping = false;
/** Kept: a lock nobody refers to any more would be collected, and gone. */
let folderLock: FileLock | undefined;

const options = readOptions();
// Progress goes to stderr: with --json stdout carries the one line and nothing else.
const say = (text: string) => process.stderr.write(`${text}\n`);

process.on('SIGINT', () => void stopAll(0));
process.on('SIGTERM', () => void stopAll(0));
try {
  await main(options);
} catch (error) {
  if (!isStopping) {
    const [code, message] = isCodedError(error) ? [error.code, error.message] : ['START_FAILED', messageOf(error)];
    if (options.isJson) process.stdout.write(`${JSON.stringify({ ready: false, code, message })}\n`);
    say(`npm start failed: ${code}: ${message}`);
    await stopAll(1);
  }
}

async function main({ dataDir, isJson }: StartOptions): Promise<void> {
  const startedAt = performance.now();
  const elapsed = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  await ensureDir(dataDir, 0o700);
  lockFolder(dataDir);
  const remembered = await remember(dataDir);
  const { ports } = remembered;

  const rootKey = await startRelay(dataDir, remembered);
  const newLink = () => makeSignInLink(join(dataDir, 'relay.yaml'));
  const relayUrl = `http://127.0.0.1:${ports.relay}`;
  const staff = await signIn(relayUrl, await newLink());
  service = await makeDemoService(dataDir, remembered.runs);
  await service.start();
  const siteId = await prepareSite(staff, service.name);

  const applianceStartedAtMs = Date.now();
  const appliance = await startAppliance(dataDir, ports, rootKey, service);
  const applianceUrl = String(appliance.ready.localUrl);
  if (!(await isClaimed(applianceUrl))) await claimBox(staff, siteId, applianceUrl);
  const site = watchSite(staff, siteId);
  await site.checkedIn(applianceStartedAtMs);
  say(`[${elapsed()}] the box is claimed and has checked in`);

  await startAgent(dataDir, ports, service);
  await site.checks(6);
  await site.serviceStatus(service.name, 'pass');
  const agent = await site.checks(6);
  say(`[${elapsed()}] ${agent.hostname} is enrolled; its checks:`);
  for (const check of agent.checks)
    say(`    ${check.status.padEnd(14)} ${check.check}${check.subject ? ` ${check.subject}` : ''}: ${check.actual}`);

  const signInUrl = await newLink();
  const ready = {
    ready: true,
    relayUrl,
    applianceUrl,
    signInUrl,
    siteUrl: `${relayUrl}/sites/${siteId}`,
    siteId,
    dataDir,
    pids: Object.fromEntries(running.map(({ name, pid }) => [name, pid])),
  };
  if (isJson) process.stdout.write(`${JSON.stringify(ready)}\n`);
  else
    say(
      `\n  Dashboard     ${signInUrl}   (works once; another: npx sitewarden-relay sign-in-link --config ${join(dataDir, 'relay.yaml')})\n  The box       ${applianceUrl}\n  Data          ${dataDir}\n`,
    );

  await showRepair(staff, siteId, service, elapsed);
  if (!isJson) say('Ctrl-C stops everything.');
}

/** Stops the demo daemon behind everybody's back and reports what the dashboard then shows. */
async function showRepair(staff: StaffClient, siteId: string, demo: DemoService, elapsed: () => string): Promise<void> {
  const site = watchSite(staff, siteId);
  await demo.stop();
  say(`[${elapsed()}] stopped ${demo.name} to show a repair`);
  const incident = await site.incident(demo.name);
  say(`[${elapsed()}] incident: ${incident.title} - ${incident.reason}`);
  const { run, incident: after } = await site.repaired(demo.name);
  if (run === undefined) say(`[${elapsed()}] not repaired now: ${after.nextStep}`);
  else say(`[${elapsed()}] repaired: ${run.outcome} (evidence entry ${run.evidenceSeq}, cosigned)`);
}

async function startRelay(dataDir: string, remembered: Remembered): Promise<string> {
  const config = writeConfig(dataDir, 'relay', {
    publicUrl: `http://127.0.0.1:${remembered.ports.relay}`,
    listen: { host: '127.0.0.1', port: remembered.ports.relay },
    dataDir: join(dataDir, 'relay'),
    logLevel: 'warn',
  });
  const rootKey = remembered.rootKey ?? (await initRelay(config));
  writeRemembered(dataDir, { ...remembered, rootKey });
  await launch('relay', ['serve', '--config', config, '--ready-json']);
  return rootKey;
}

function startAppliance(dataDir: string, ports: Ports, rootKey: string, demo: DemoService): Promise<Running> {
  const config = writeConfig(dataDir, 'appliance', {
    relay: { url: `http://127.0.0.1:${ports.relay}`, rootKey },
    dataDir: join(dataDir, 'appliance'),
    intake: { host: '127.0.0.1', port: ports.intake },
    local: { host: '127.0.0.1', port: ports.local },
    model: 'this host',
    services: { pidfileDir: demo.folder },
    logLevel: 'warn',
  });
  return launch('appliance', ['run', '--config', config, '--ready-json']);
}

async function startAgent(dataDir: string, ports: Ports, demo: DemoService): Promise<Running> {
  const agentDir = join(dataDir, 'agent');
  const tokenFile = join(dataDir, 'agent-token.json');
  const config = writeConfig(dataDir, 'agent', {
    applianceAddress: `127.0.0.1:${ports.intake}`,
    dataDir: agentDir,
    tokenFile,
    serviceManager: { pidfileDir: demo.folder },
    logLevel: 'warn',
  });
  if (!existsSync(join(agentDir, 'identity', 'identity.json'))) {
    rmSync(tokenFile, { force: true });
    await runProgram('appliance', ['agents', 'token', '--config', join(dataDir, 'appliance.yaml'), '--out', tokenFile]);
  }
  return launch('agent', ['run', '--config', config, '--ready-json']);
}

async function launch(name: keyof typeof ENTRIES, args: string[]): Promise<Running> {
  if (isStopping) throw new Error('this start is being stopped');
  let noted = Promise.resolve();
  const program = await startProgram({
    name,
    entry: ENTRIES[name],
    args,
    onLine: (line) => {
      if (!line.startsWith('{"ready"') && !isStopping) process.stderr.write(`    ${name}: ${line.slice(0, 400)}\n`);
    },
    // Whatever ends this start, now or before it is ready, finds what it has begun.
    onSpawned: (spawned) => {
      running.push(spawned);
      noted = note(spawned);
    },
  });
  await noted;
  void program.exited.then(({ code, signal }) => {
    if (isStopping) return;
    say(`${name} ended by itself with ${signal ?? code}.`);
    void stopAll(1);
  });
  return program;
}

async function note({ name, pid }: Spawned): Promise<void> {
  const started = await identify(name, pid);
  const earlier = readRemembered(options.dataDir);
  if (earlier === undefined) return;
  writeRemembered(options.dataDir, { ...earlier, programs: [...(earlier.programs ?? []), ...started] });
}

/** For as long as this process lives, however it ends. Throws ALREADY_STARTED. */
function lockFolder(dataDir: string): void {
  try {
    folderLock = acquireLock(join(dataDir, 'start.lock'));
  } catch (cause) {
    if (!isCodedError(cause) || cause.code !== 'FILE_LOCKED') throw cause;
    throw startError('ALREADY_STARTED', { detail: `Another start works in ${dataDir}`, cause });
  }
}

async function isClaimed(applianceUrl: string): Promise<boolean> {
  const answer = await fetch(new URL('/api/local/status', applianceUrl), { signal: AbortSignal.timeout(10_000) });
  const { claim } = (await answer.json()) as LocalStatus;
  return claim.phase === 'done';
}

async function remember(dataDir: string): Promise<Remembered> {
  const earlier = readRemembered(dataDir);
  for (const stopped of await stopLeftovers(earlier?.programs ?? [])) say(`stopped ${stopped} of an earlier start`);
  const { rootKey, runs = 0 } = earlier ?? {};
  const now = {
    ports: await choosePorts(earlier?.ports),
    runs: runs + 1,
    ...(rootKey === undefined ? {} : { rootKey }),
  };
  writeRemembered(dataDir, now);
  return now;
}

function writeConfig(dataDir: string, name: string, config: object): string {
  const path = join(dataDir, `${name}.yaml`);
  // JSON is YAML; the file stays readable for who wants to run a program alone.
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return path;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readOptions(): StartOptions {
  try {
    const parsed = parseOptions(process.argv.slice(2), root);
    if (parsed.isHelp) {
      console.log(HELP);
      process.exit(0);
    }
    return parsed;
  } catch (error) {
    const message = messageOf(error);
    if (process.argv.includes('--json'))
      console.log(JSON.stringify({ ready: false, code: 'OPTIONS_INVALID', message }));
    console.error(`${message}\n\n${HELP}`);
    process.exit(2);
  }
}

async function stopAll(code: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  for (const program of running.toReversed()) await program.stop();
  await service?.stop().catch((error: Error) => say(`the demo daemon did not stop: ${error.message}`));
  folderLock?.release();
  process.exit(code);
}
