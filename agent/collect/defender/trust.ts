import type { Stats } from 'node:fs';
import { readFile, readlink, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Engine } from './engines.ts';

/** Where packages put programs. An engine's own install folder counts beside them. */
const SYSTEM_FOLDERS = [
  '/usr/bin/',
  '/usr/sbin/',
  '/usr/lib/',
  '/usr/lib64/',
  '/usr/libexec/',
  '/usr/local/bin/',
  '/usr/local/sbin/',
  '/bin/',
  '/sbin/',
  '/nix/store/',
];
/** Accounts of services lie below; a person's account must not pass for one of them. */
const FIRST_PERSON_UID = 1000;

export interface RunningProgram {
  /** Real, effective, saved and file-system user. */
  readonly uids: readonly number[];
  /** Of the engine's own system users. */
  readonly engineUids: readonly number[];
  /** Undefined when it cannot be read. */
  readonly path: string | undefined;
  /** The file at that path is the one that runs. */
  readonly isSameFile: boolean;
  /** The file and every folder above it, the file first. */
  readonly chain: readonly Pick<Stats, 'uid' | 'gid' | 'mode'>[];
}

/**
 * Anybody can name a process after an engine. Undefined: it is the engine's, for only root could have put its program
 * there and started it. Else why that is not sure. Pure.
 */
export function doubtAbout(engine: Pick<Engine, 'name' | 'paths'>, program: RunningProgram): string | undefined {
  const { uids, engineUids, path, isSameFile, chain } = program;
  const isOwnUser = uids.length > 0 && uids.every((uid) => uid === 0 || engineUids.includes(uid));
  if (!isOwnUser) {
    return `A process is called like ${engine.name} and belongs to another account than root. Find out who started it.`;
  }
  if (path === undefined) return `The program that runs as ${engine.name} cannot be seen. Run the agent as root.`;
  const isPlaced = [...SYSTEM_FOLDERS, ...engine.paths].some((place) =>
    place.endsWith('/') ? path.startsWith(place) : path === place,
  );
  if (!isPlaced) {
    return `A process is called like ${engine.name} and does not run from where that is installed. Find out what it is.`;
  }
  if (!isSameFile) return `The program of ${engine.name} was replaced while it runs. Restart its service.`;
  return isOnlyRoots(chain)
    ? undefined
    : `Others than root can replace the program of ${engine.name}. Correct the rights of its folder.`;
}

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;

/** In a sticky folder nobody but root can replace what belongs to root. */
function isOnlyRoots(chain: RunningProgram['chain']): boolean {
  return chain.every(({ uid, gid, mode }, index) => {
    if (uid !== 0) return false;
    if (index > 0 && (mode & STICKY) !== 0) return true;
    return (mode & OTHERS_WRITE) === 0 && ((mode & GROUP_WRITE) === 0 || gid === 0);
  });
}

/** Undefined when the process ended meanwhile. */
export async function readProgram(pid: number, engine: Engine): Promise<RunningProgram | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  if (status === undefined) return undefined;
  const uids = /^Uid:\s+(.+)$/m.exec(status)?.[1]?.split(/\s+/).map(Number) ?? [];
  const engineUids = await uidsOf(engine.users ?? []);
  const link = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  if (link === undefined) return { uids, engineUids, path: undefined, isSameFile: false, chain: [] };
  const path = link.replace(/ \(deleted\)$/, '');
  const running = await stat(`/proc/${pid}/exe`).catch(() => undefined);
  const chain: Stats[] = [];
  for (let at = path; ; at = dirname(at)) {
    const one = await stat(at).catch(() => undefined);
    if (one !== undefined) chain.push(one);
    if (at === dirname(at)) break;
  }
  const file = await stat(path).catch(() => undefined);
  const isSameFile =
    running !== undefined && file !== undefined && running.dev === file.dev && running.ino === file.ino;
  return { uids, engineUids, path, isSameFile, chain };
}

async function uidsOf(users: readonly string[]): Promise<number[]> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return passwd
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([name]) => name !== undefined && users.includes(name))
    .map(([, , uid]) => Number(uid))
    .filter((uid) => Number.isInteger(uid) && uid < FIRST_PERSON_UID);
}
