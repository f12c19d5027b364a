import { join } from 'node:path';
import type { ToolResult } from '@sitewarden/kit/exec';
import { readFileIfExists } from '@sitewarden/kit/files';
import { askTool } from '../ask-tool.ts';
import { toolProblem } from '../tool-problem.ts';
import type { Desktop, LockSettings, SettingKey } from './desktops.ts';
import type { GraphicalSession } from './sessions.ts';
import { parseGsettingsFlag, parseGsettingsNumber, readKscreenlocker } from './settings-text.ts';

export type SettingsSight = LockSettings | { readonly problem: string };

interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const SYSTEM_KSCREENLOCKERRC = '/etc/xdg/kscreenlockerrc';

/** The lock settings of one person's session, read with that person's rights. */
export async function readLockSettings(session: GraphicalSession, signal: AbortSignal): Promise<SettingsSight> {
  const { desktop } = session;
  if (desktop === undefined || desktop.source === 'none') {
    const name = desktop?.name ?? 'this desktop';
    return { problem: `The agent does not know how ${name} keeps its lock settings. Look at them by hand.` };
  }
  const account = await findAccount(session.uid, signal);
  if (account === undefined) return { problem: 'The account of the session is not known to getent. Look by hand.' };
  return desktop.source === 'gsettings' ? readGsettings(desktop, account, signal) : readKde(account);
}

async function readGsettings(
  desktop: Desktop & { source: 'gsettings' },
  account: Account,
  signal: AbortSignal,
): Promise<SettingsSight> {
  const ask = (key: SettingKey) => askGsettings(key, account, signal);
  const [lock, idle] = [await ask(desktop.lock), await ask(desktop.idle)];
  const delay = desktop.delay === undefined ? undefined : await ask(desktop.delay);
  for (const result of [lock, idle, delay]) {
    if (result === undefined) continue;
    if (!result.ok) return { problem: toolProblem('gsettings', 'libglib2.0-bin', result) };
    // Without its store gsettings answers defaults that nobody set.
    if (/Can.t find module/i.test(result.stderr)) return { problem: 'gsettings has no dconf here. Install dconf.' };
  }
  const lockEnabled = parseGsettingsFlag(lock.stdout);
  const idleUnits = parseGsettingsNumber(idle.stdout);
  const delaySeconds = delay === undefined ? 0 : parseGsettingsNumber(delay.stdout);
  if (lockEnabled === undefined || idleUnits === undefined || delaySeconds === undefined) {
    return { problem: toolProblem('gsettings', 'libglib2.0-bin', lock) };
  }
  return { lockEnabled, idleSeconds: idleUnits === 0 ? 0 : idleUnits * desktop.idleUnitSeconds + delaySeconds };
}

/** Only root may look with another account's rights; looking with root's own would read root's settings. */
async function askGsettings({ schema, key }: SettingKey, account: Account, signal: AbortSignal): Promise<ToolResult> {
  const env = {
    HOME: account.home,
    XDG_RUNTIME_DIR: `/run/user/${account.uid}`,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=/run/user/${account.uid}/bus`,
    GSETTINGS_BACKEND: 'dconf',
  };
  const get = ['gsettings', 'get', schema, key] as const;
  const own = process.getuid?.() === account.uid;
  const drop = ['setpriv', `--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups', '--'] as const;
  return askTool(own ? [...get] : [...drop, ...get], { signal, env, timeoutMs: 5000 });
}

async function readKde(account: Account): Promise<SettingsSight> {
  const paths = [SYSTEM_KSCREENLOCKERRC, join(account.home, '.config', 'kscreenlockerrc')];
  try {
    const files = await Promise.all(paths.map(readFileIfExists));
    return readKscreenlocker(files.filter((file) => file !== undefined).map((file) => file.toString('utf8')));
  } catch {
    return { problem: 'kscreenlockerrc may not be read by this account. Run the agent as root.' };
  }
}

async function findAccount(uid: number, signal: AbortSignal): Promise<Account | undefined> {
  const result = await askTool(['getent', 'passwd', String(uid)], { signal, timeoutMs: 5000 });
  const [, , , gid, , home] = result.stdout.trim().split(':');
  if (!result.ok || gid === undefined || !home?.startsWith('/')) return undefined;
  return { uid, gid: Number(gid), home };
}
