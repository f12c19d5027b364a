import { stat } from 'node:fs/promises';
import { askTool } from '../ask-tool.ts';
import type { ProcessEntry } from '../processes.ts';
import { DESKTOPS, type Desktop, DISPLAY_SERVERS } from './desktops.ts';

export interface GraphicalSession {
  readonly uid: number;
  /** undefined: a screen is drawn by something the agent does not know. */
  readonly desktop: Desktop | undefined;
}

/** Accounts of people; the log-in screen itself runs as a system account. */
const MIN_PERSON_UID = 1000;
const NOBODY_UID = 65534;
const MAX_SESSIONS = 32;

const isPerson = (uid: number): boolean => uid >= MIN_PERSON_UID && uid !== NOBODY_UID;

/** People's graphical sessions: from logind where it runs, and from the desktops' own processes everywhere. */
export async function findSessions(
  processes: readonly ProcessEntry[],
  signal: AbortSignal,
): Promise<GraphicalSession[]> {
  const byUid = new Map<number, Desktop | undefined>();
  for (const uid of await logindUids(signal)) byUid.set(uid, undefined);
  for (const { pid, comm } of processes) {
    const desktop = DESKTOPS.find(({ shells }) => shells.includes(comm));
    if (desktop === undefined && !DISPLAY_SERVERS.includes(comm)) continue;
    const uid = await ownerOf(pid);
    if (uid === undefined || !isPerson(uid)) continue;
    byUid.set(uid, desktop ?? byUid.get(uid));
  }
  return [...byUid].slice(0, MAX_SESSIONS).map(([uid, desktop]) => ({ uid, desktop }));
}

async function logindUids(signal: AbortSignal): Promise<number[]> {
  const listed = await askTool(['loginctl', 'list-sessions', '--no-legend'], { signal, timeoutMs: 5000 });
  if (!listed.ok) return [];
  const uids: number[] = [];
  for (const id of sessionIds(listed.stdout).slice(0, MAX_SESSIONS)) {
    const argv = ['loginctl', 'show-session', '-p', 'Type', '-p', 'Class', '-p', 'User', '--', id] as const;
    const shown = await askTool([...argv], { signal, timeoutMs: 5000 });
    const uid = shown.ok ? graphicalUid(shown.stdout) : undefined;
    if (uid !== undefined && isPerson(uid)) uids.push(uid);
  }
  return uids;
}

/** First column of `loginctl list-sessions --no-legend`. */
export function sessionIds(output: string): string[] {
  return output
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((id) => /^[A-Za-z0-9]{1,16}$/.test(id));
}

/** The account of a graphical session of a person, by `loginctl show-session`. */
export function graphicalUid(output: string): number | undefined {
  const fields = new Map(output.split('\n').map((line) => line.trim().split('=', 2) as [string, string]));
  if (!['x11', 'wayland', 'mir'].includes(fields.get('Type') ?? '') || fields.get('Class') !== 'user') return undefined;
  const uid = fields.get('User') ?? '';
  return /^\d{1,10}$/.test(uid) ? Number(uid) : undefined;
}

async function ownerOf(pid: number): Promise<number | undefined> {
  return stat(`/proc/${pid}`).then(
    ({ uid }) => uid,
    () => undefined,
  );
}
