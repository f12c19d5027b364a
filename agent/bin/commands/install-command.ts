import { existsSync } from 'node:fs';
import { devNull } from 'node:os';
import { join, resolve, win32 } from 'node:path';
import { isSea } from 'node:sea';
import { setTimeout as delay } from 'node:timers/promises';
import { acquireLock } from '@sitewarden/kit/files';
import { createLogger } from '@sitewarden/kit/log';
import { defaultConfigPath, loadAgentConfig } from '../../config/index.ts';
import { agentErrors } from '../../errors.ts';
import { readTokenFile, removeTokenFile } from '../../identity/index.ts';
import {
  describeStep,
  executeStep,
  type Layout,
  layoutOf,
  planInstall,
  planUninstall,
  type Step,
} from '../../install/index.ts';
import { enrollAgent, LOCK_FILE, readStatus, stopAgent } from '../../run/index.ts';
import { print } from './output.ts';

export interface UninstallFlags {
  readonly purge?: boolean;
  readonly root?: string;
  readonly dryRun?: boolean;
}

export interface InstallFlags {
  readonly tokenFile?: string;
  readonly appliance?: string;
  readonly root?: string;
  readonly dryRun?: boolean;
}

type Config = Awaited<ReturnType<typeof loadAgentConfig>>['config'];

const CONNECT_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 250;

export async function installCommand(configPath: string | undefined, flags: InstallFlags): Promise<void> {
  const { config, layout } = await findLayout(configPath, flags.root);
  const { root, dryRun = false } = flags;
  const token = flags.tokenFile === undefined ? undefined : await tokenText(flags.tokenFile, flags.appliance);
  const steps = planInstall(layout, { token, isOffline: root !== undefined, ...systemRoot() });
  if (dryRun) return show(steps);
  assertPossible(layout, root);
  await perform(steps, root, config);
  // The token lies in the data folder now, or is used up.
  if (flags.tokenFile !== undefined) await removeTokenFile(flags.tokenFile);
  if (root === undefined) await tellConnection(config.dataDir);
}

export async function uninstallCommand(configPath: string | undefined, flags: UninstallFlags): Promise<void> {
  const { config, layout } = await findLayout(configPath, flags.root);
  const { root, purge = false, dryRun = false } = flags;
  const steps = planUninstall(layout, { purge, isOffline: root !== undefined, ...systemRoot() });
  if (dryRun) return show(steps);
  assertPossible(layout, root);
  for (const step of steps) {
    await perform([step], root, config).catch((error: unknown) => {
      if (process.platform !== 'win32' || !isOfThisProcess(step, layout)) throw error;
      print(`Windows keeps what this very program runs from: delete ${step.path} by hand.`);
    });
  }
  print(
    purge
      ? 'Uninstalled; identity, queue and configuration are gone.'
      : `Uninstalled. ${config.dataDir} and ${layout.configFile} stay; uninstall --purge removes them.`,
  );
  print('The site still lists this agent: have it removed on the page of the site.');
}

/** The program, and the library it has loaded to see whether an agent runs. */
function isOfThisProcess(step: Step, { command, dataDir }: Layout): step is Extract<Step, { do: 'remove' }> {
  return step.do === 'remove' && [command[0], win32.join(dataDir, 'native')].includes(step.path);
}

async function findLayout(
  configPath: string | undefined,
  root: string | undefined,
): Promise<{ config: Config; layout: Layout }> {
  const { platform } = process;
  if (platform !== 'linux' && platform !== 'darwin' && platform !== 'win32') {
    throw agentErrors.make('INSTALL_UNSUPPORTED', { detail: `No service is known for ${platform}` });
  }
  const configFile = configPath === undefined ? defaultConfigPath() : resolve(configPath);
  const { config } = await loadAgentConfig(root === undefined ? configPath : configBelow(root, configFile));
  const script = isSea() ? undefined : process.argv[1];
  const { dataDir } = config;
  return { config, layout: layoutOf({ platform, executable: process.execPath, script, configFile, dataDir }) };
}

/** What this machine itself is configured to is of no interest to an image. */
function configBelow(root: string, configFile: string): string {
  const path = join(root, configFile);
  return existsSync(path) ? path : devNull;
}

function assertPossible({ platform }: Layout, root: string | undefined): void {
  const isUnix = platform !== 'win32';
  if (root !== undefined) {
    if (isUnix) return;
    throw agentErrors.make('INSTALL_UNSUPPORTED', { field: 'root', detail: '--root is for Linux and macOS' });
  }
  if (isUnix && process.getuid?.() !== 0) throw agentErrors.make('INSTALL_NOT_ALLOWED');
  if (platform === 'linux' && !existsSync('/run/systemd/system')) {
    throw agentErrors.make('INSTALL_UNSUPPORTED', { detail: 'systemd does not run this machine' });
  }
}

async function tokenText(path: string, appliance: string | undefined): Promise<string> {
  const { isOpenToOthers: _, ...file } = await readTokenFile(path);
  return `${JSON.stringify({ ...file, ...(appliance === undefined ? {} : { applianceAddress: appliance }) })}\n`;
}

function show(steps: readonly Step[]): void {
  for (const step of steps) print(`would ${describeStep(step)}`);
}

async function perform(steps: readonly Step[], root: string | undefined, config: Config): Promise<void> {
  const enroll = (tokenFile: string) => enrollNow(config, tokenFile);
  for (const step of steps) {
    print(describeStep(step));
    await executeStep(step, { root, stop: stopAgent, enroll });
  }
}

/** A box that is away is no reason not to install: the service goes on trying. A token that is refused is one. */
async function enrollNow(config: Config, tokenFile: string): Promise<void> {
  const lock = acquireLock(join(config.dataDir, LOCK_FILE));
  try {
    const log = createLogger({ name: 'sitewarden-agent', level: 'warn' });
    const { agentId, applianceAddress } = await enrollAgent({ config, tokenFile, log });
    print(`Enrolled as ${agentId} at ${applianceAddress}.`);
  } catch (error) {
    if (agentErrors.is(error, 'ALREADY_ENROLLED')) {
      await removeTokenFile(tokenFile);
      print('This agent is enrolled already and keeps its identity; the token was not used.');
    } else if (agentErrors.is(error, 'APPLIANCE_UNREACHABLE')) {
      print('The appliance cannot be reached now; the service enrolls when it can.');
    } else {
      await removeTokenFile(tokenFile);
      throw error;
    }
  } finally {
    lock.release();
  }
}

async function tellConnection(dataDir: string): Promise<void> {
  const endMs = performance.now() + CONNECT_WITHIN_MS;
  for (;;) {
    const { state } = await readStatus(dataDir);
    if (state === 'connected') return print('Installed, running and connected to the appliance.');
    if (state === 'not_enrolled' || performance.now() > endMs) break;
    await delay(LOOK_EVERY_MS);
  }
  print('Installed. It is not connected yet: `sitewarden-agent status` tells why.');
}

function systemRoot(): { systemRoot?: string } {
  const folder = process.env.SystemRoot;
  return folder === undefined ? {} : { systemRoot: folder };
}
