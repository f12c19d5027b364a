import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { integrityOf } from './targets.ts';

const run = promisify(execFile);

/**
 * Path of the Node executable of a pinned npm package, from the cache or fetched by npm. The tarball is believed by its
 * SHA-512 alone, so it does not matter which registry or mirror npm is set to.
 */
export async function fetchNode(nodePackage: string, cacheDir: string): Promise<string> {
  const integrity = integrityOf(nodePackage);
  const folder = join(cacheDir, `${nodePackage}-${digestName(integrity)}`);
  const executable = join(folder, 'bin', nodePackage.startsWith('node-win-') ? 'node.exe' : 'node');
  if (await exists(executable)) return executable;
  await mkdir(cacheDir, { recursive: true });
  const work = await mkdtemp(join(cacheDir, 'fetch-'));
  try {
    // Inside the work folder npm would take the repository for its project; the prefix keeps it out of it.
    const { stdout } = await run('npm', ['pack', nodePackage, '--silent', '--prefix', work], { cwd: work });
    const tarball = join(work, stdout.trim().split('\n').at(-1) ?? '');
    assertIntegrity(nodePackage, await readFile(tarball), integrity);
    const inner = `package/bin/${nodePackage.startsWith('node-win-') ? 'node.exe' : 'node'}`;
    await run('tar', ['-xzf', tarball, '-C', work, inner]);
    await rm(folder, { recursive: true, force: true });
    await rename(join(work, 'package'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return executable;
}

export function assertIntegrity(name: string, bytes: Uint8Array, integrity: string): void {
  const found = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  if (found !== integrity) throw new Error(`${name} has ${found}, pinned is ${integrity}. It was not used.`);
}

/** A cache made under another pin is not used. */
const digestName = (integrity: string): string => createHash('sha256').update(integrity).digest('hex').slice(0, 16);

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
