import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@sitewarden/kit/files';
import type { Logger } from '@sitewarden/kit/log';
import { identityFolder } from '../identity/index.ts';

/** Whose box this was, and why it is not any more. `isForgotten` false: what belonged to the site is still here. */
export interface LeftSite {
  readonly siteName: string;
  readonly partnerName: string;
  readonly by: string;
  readonly reason: string;
  readonly atMs: number;
  /** The site it was moved to, whose claim waits for it; missing: it belongs to nobody. */
  readonly movesTo?: string;
  /** What the box was called: made of a device key it may not have any more, and people know it by it. */
  readonly serial?: string;
  /** The relay's signed receipt; null when its answer was lost. */
  readonly receipt: string | null;
  readonly isForgotten: boolean;
}

const FILE = 'left-site.json';
/** With any of these the box would still be that site's. */
const IDENTIFYING = [/^appliance\.db(-wal|-shm|-journal)?$/, /^site\.json$/];
/**
 * What this program makes in its data folder and what tells of the site. By name, for others may keep their files here
 * too: a configuration, the certificate of the relay's CA, the lost+found of a disk.
 */
const OURS = [
  ...IDENTIFYING,
  /^appliance\.db\.damaged-/,
  /^(evidence|report)\.mark$/,
  /^reserve$/,
  /^uplink(-copy)?\.json$/,
  /^local-admin\.token$/,
  /^set-aside-/,
  /^\.doctor-/,
  // Left by a write that was cut off.
  /^\.(site|uplink|uplink-copy|left-site)\.json\.\d+-[0-9a-f]+\.tmp$/,
  /^\.local-admin\.token\.\d+-[0-9a-f]+\.tmp$/,
];
const isIn = (list: readonly RegExp[], name: string): boolean => list.some((pattern) => pattern.test(name));
/** The box stays the same box: it keeps the key it is known by, and nothing anybody at the site trusts. */
const isSiteKey = (name: string): boolean => name.startsWith('site-ca') || name.startsWith('server');
/**
 * Whoever had the box may have kept copies of its keys: what the next owner has sealed to it and what its next log says
 * are not to rest on them. One that is moved goes on for the same people, and is told by its seal key from a copy.
 */
const isOwnerKey = (name: string): boolean => name.startsWith('evk.') || name.startsWith('seal.');

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
 * What cannot be removed is logged; throws only where the box would still be that site's.
 */
export async function forgetSite(dataDir: string, log: Logger): Promise<void> {
  const left = await readLeft(dataDir);
  if (left === undefined || left.isForgotten) return;
  const faults: unknown[] = [];
  for (const name of await readdir(dataDir)) {
    if (!isIn(OURS, name)) continue;
    try {
      await rm(join(dataDir, name), { recursive: true, force: true });
    } catch (error) {
      log.error({ name, err: error }, 'this cannot be removed, though the box left its site: remove it by hand');
      if (isIn(IDENTIFYING, name)) faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
  const identity = identityFolder(dataDir);
  const isOver = (name: string) => isSiteKey(name) || (left.movesTo === undefined && isOwnerKey(name));
  for (const name of await readdir(identity)) if (isOver(name)) await rm(join(identity, name), { force: true });
  await writeLeft(dataDir, { ...left, isForgotten: true });
}
