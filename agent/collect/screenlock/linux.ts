import { readdir } from 'node:fs/promises';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { listProcesses } from '../processes.ts';
import type { CollectContext, Observation } from '../types.ts';
import { readLockSettings, type SettingsSight } from './read-settings.ts';
import { findSessions, type GraphicalSession } from './sessions.ts';

const SESSION_FOLDERS = ['/usr/share/xsessions', '/usr/share/wayland-sessions', '/usr/local/share/xsessions'];

/** Facts say the weakest of all sessions: one screen that stays open is an open screen. */
export async function collectScreenlock({ signal }: CollectContext): Promise<Observation[]> {
  const processes = await listProcesses();
  if (processes === undefined) {
    const probe_error = 'The processes of other accounts are hidden. Run the agent as root.';
    return [{ subject: '', facts: { probe_error } }];
  }
  const sessions = await findSessions(processes, signal);
  if (sessions.length === 0) {
    const desktop = (await hasDesktop()) ? 'installed' : 'none';
    return [{ subject: '', facts: { desktop, graphical_sessions: 0 } }];
  }
  const settings: SettingsSight[] = [];
  for (const session of sessions) settings.push(await readLockSettings(session, signal));
  return [{ subject: '', facts: screenlockFacts(sessions, settings) }];
}

export function screenlockFacts(sessions: readonly GraphicalSession[], settings: readonly SettingsSight[]): Facts {
  const known = settings.filter((sight) => 'idleSeconds' in sight);
  const problem = settings.filter((sight) => 'problem' in sight)[0]?.problem;
  const never = known.some(({ idleSeconds }) => idleSeconds === 0);
  const names = sessions.map(({ desktop }) => desktop?.name ?? 'unknown');
  const sources = sessions.map(({ desktop }) => desktop?.source ?? 'none');
  return {
    desktop: [...new Set(names)].join(','),
    source: [...new Set(sources)].join(','),
    graphical_sessions: sessions.length,
    ...(known.length === 0
      ? {}
      : {
          lock_enabled: known.every(({ lockEnabled }) => lockEnabled),
          idle_seconds: never ? 0 : Math.max(...known.map(({ idleSeconds }) => idleSeconds)),
        }),
    ...(problem === undefined ? {} : { probe_error: problem }),
  };
}

async function hasDesktop(): Promise<boolean> {
  const listed = await Promise.all(SESSION_FOLDERS.map((folder) => readdir(folder).catch(() => [])));
  return listed.flat().some((name) => name.endsWith('.desktop'));
}
