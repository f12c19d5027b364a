import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';

export interface Needs {
  readonly tools?: readonly string[];
  readonly root?: boolean;
  /** Of Debian's own Python. */
  readonly pythonModules?: readonly string[];
}

/** Where Debian's modules are: another Python earlier in the PATH does not know them. */
export const PYTHON = '/usr/bin/python3';

/** Debian keeps administrators' tools outside the PATH of ordinary users. */
const EXTRA_DIRS = ['/usr/sbin', '/sbin'];

/**
 * True when something is missing: the test is then skipped and the missing thing named, and the caller returns. With
 * CI=true a missing thing is a failure, so that nothing is skipped unseen.
 */
export function skipWithout(t: Test, needs: Needs): boolean {
  const missing = [
    ...(needs.root === true && process.getuid?.() !== 0 ? ['root'] : []),
    ...(needs.tools ?? []).filter((tool) => findTool(tool) === undefined),
    ...(needs.pythonModules ?? []).filter((name) => !hasModule(name)).map((name) => `${name} of ${PYTHON}`),
  ];
  if (missing.length === 0) return false;
  const text = `needs ${missing.join(', ')}`;
  if (process.env.CI === 'true') t.fail(text);
  else t.pass(text, { skip: text });
  return true;
}

const hasModule = (name: string): boolean =>
  spawnSync(PYTHON, ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0;

/** Full path of a program, undefined when there is none. */
export function findTool(name: string): string | undefined {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), ...EXTRA_DIRS];
  for (const dir of dirs) {
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
