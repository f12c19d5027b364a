import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isCodedError } from '@sitewarden/kit/errors';
import { acquireLock, type FileLock } from '@sitewarden/kit/files';
import type { Test } from 'tap';
import { waitFor } from '../../scripts/lib/wait.ts';
import { type Bundle, bundleAgent } from '../../scripts/package-agent/bundle.ts';
import { fetchNode } from '../../scripts/package-agent/fetch-node.ts';
import { packageAgent } from '../../scripts/package-agent/package-agent.ts';
import { builderPackage, type TargetName, targetOf } from '../../scripts/package-agent/targets.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const PACKED_CACHE = join(ROOT, 'dist', 'cache');
const MADE = join(ROOT, 'dist', 'agent-tests');

/** Another agent of the same sources. */
export interface Variant {
  /** Of the folder it is kept in. */
  readonly name: string;
  /** What it says it is. */
  readonly version?: string;
  readonly publisherKey?: string;
  /** Changes the text of the bundle. */
  readonly change?: (code: string) => string;
}

/**
 * Path of the one-file agent of the present sources: made, or taken from the last run when nothing changed. Undefined, and
 * the test skipped by name (failed with CI=true), when npm cannot fetch the Node it is made from.
 */
export async function packedAgent(t: Test, name: TargetName, variant?: Variant): Promise<string | undefined> {
  const target = targetOf(name);
  try {
    await fetchNode(target.nodePackage, PACKED_CACHE);
    await fetchNode(builderPackage(target), PACKED_CACHE);
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    const text = `needs ${target.nodePackage} from npm`;
    t.pass(text, { skip: text });
    return undefined;
  }
  const bundle = changed(await bundleAgent(ROOT), variant);
  const publisherKey = variant?.publisherKey;
  const kind = variant === undefined ? name : `${name}.${variant.name}`;
  const key = `${kind}-${digestOf(bundle, target.addon, publisherKey)}`;
  const outDir = join(MADE, key);
  const path = join(outDir, target.file);
  if (existsSync(path)) return path;
  // Two test files may want the same one at the same time.
  mkdirSync(MADE, { recursive: true });
  const lock = await waitFor('the other test to make it', () => tryLock(join(MADE, `${name}.lock`)), 240_000, 500);
  try {
    if (existsSync(path)) return path;
    await packageAgent(target, { root: ROOT, outDir, cacheDir: PACKED_CACHE, bundle, publisherKey });
  } finally {
    lock.release();
  }
  for (const other of readdirSync(MADE)) {
    if (other.startsWith(`${kind}-`) && other !== key) rmSync(join(MADE, other), { recursive: true, force: true });
  }
  return path;
}

function tryLock(path: string): FileLock | undefined {
  try {
    return acquireLock(path);
  } catch (error) {
    if (isCodedError(error, 'FILE_LOCKED')) return undefined;
    throw error;
  }
}

function changed(bundle: Bundle, { version, change = (code) => code }: Partial<Variant> = {}): Bundle {
  const named = version === undefined ? bundle.code : bundle.code.replace(VERSION_LINE, `$1"${version}"`);
  if (version !== undefined && named === bundle.code) throw new Error('the bundle does not say its version as it did');
  const code = change(named);
  return { ...bundle, code };
}

const VERSION_LINE = /^(var version = )"[^"]+"(?=;$)/m;

function digestOf({ code }: Bundle, addon: string, publisherKey = ''): string {
  const hash = createHash('sha256').update(code).update(publisherKey);
  for (const file of ['targets.json', 'package-agent.ts', 'authenticode.ts']) {
    hash.update(readFileSync(join(ROOT, 'scripts', 'package-agent', file)));
  }
  hash.update(readFileSync(join(ROOT, 'node_modules', 'better-sqlite3', 'prebuilds', `${addon}.node`)));
  return hash.digest('hex').slice(0, 24);
}
