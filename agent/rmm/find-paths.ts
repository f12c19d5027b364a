import { readdir, stat } from 'node:fs/promises';
import { posix, win32 } from 'node:path';
import { compilePatterns } from './patterns.ts';
import { SIGNATURES } from './signatures.ts';

/** Of the paths of the table for this system, as the table writes them, those that are there. */
export async function findPaths(
  platform: 'win32' | 'linux' | 'darwin',
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string[]> {
  const wanted = SIGNATURES.flatMap((signature) => signature[platform]?.paths ?? []);
  const found = await Promise.all(
    wanted.map(async (path) => ((await isThere(expand(path, env), platform)) ? [path] : [])),
  );
  return found.flat();
}

/** `%ProgramFiles%\X`; undefined when this Windows has no such variable. */
export function expand(path: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  let isWhole = true;
  const expanded = path.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = env[name];
    if (!value) isWhole = false;
    return value ?? '';
  });
  return isWhole ? expanded : undefined;
}

async function isThere(path: string | undefined, platform: string): Promise<boolean> {
  if (path === undefined) return false;
  const { dirname, basename } = platform === 'win32' ? win32 : posix;
  if (!path.includes('*')) {
    return stat(path).then(
      () => true,
      () => false,
    );
  }
  const matches = compilePatterns([basename(path)]);
  const names = await readdir(dirname(path)).catch(() => []);
  return names.some(matches);
}
