import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@sitewarden/kit/files';
import { LOCK_FILE } from '../lib/run-file.ts';

/** Whose box this was, and why it is not any more. `isForgotten` false: what belonged to the site is still here. */
export interface LeftSite {
  readonly siteName: string;
  readonly partnerName: string;
  readonly by: string;
  readonly reason: string;
  readonly atMs: number;
  /** The relay's signed receipt; null when its answer was lost. */
  readonly receipt: string | null;
  readonly isForgotten: boolean;
}

const FILE = 'left-site.json';
/** The box stays the same box: it keeps the keys it is known by, and nothing anybody at the site trusts. */
const KEPT = new Set(['identity', 'run.json', FILE]);
const isSiteKey = (name: string): boolean => name.startsWith('site-ca') || name.startsWith('server');

/** Undefined when this box never left a site. */
export async function readLeft(dataDir: string): Promise<LeftSite | undefined> {
  const text = (await readFileIfExists(join(dataDir, FILE)))?.toString('utf8');
  try {
    return text === undefined ? undefined : (JSON.parse(text) as LeftSite);
  } catch {
    return undefined;
  }
}

export async function writeLeft(dataDir: string, left: LeftSite): Promise<void> {
  await writeFileAtomic(join(dataDir, FILE), `${JSON.stringify(left)}\n`, { mode: 0o600 });
}

/**
 * Removes what belonged to the site, folders set aside earlier too: all evidence is at the relay, cosigned. Safe to run
 * again after a crash; `left-site.json` says when it is done. The caller holds the lock and has closed the database.
 */
export async function forgetSite(dataDir: string): Promise<void> {
  const left = await readLeft(dataDir);
  if (left === undefined || left.isForgotten) return;
  for (const name of await readdir(dataDir)) {
    if (KEPT.has(name) || name.startsWith(LOCK_FILE)) continue;
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
  const identity = join(dataDir, 'identity');
  for (const name of await readdir(identity)) if (isSiteKey(name)) await rm(join(identity, name), { force: true });
  await writeLeft(dataDir, { ...left, isForgotten: true });
}
