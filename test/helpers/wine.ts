import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/**
 * A Windows of its own for one test, in a folder that is removed with it. Answers the argv of one of its programs, for
 * instance `wmic`. The first program that runs sets it up, which takes seconds.
 */
export function startWine(t: Test): (program: string) => [string, ...string[]] {
  const prefix = mkdtempSync(join(tmpdir(), 'sitewarden-wine-'));
  const env = [`WINEPREFIX=${prefix}`, 'WINEDEBUG=-all', 'WINEDLLOVERRIDES=mscoree,mshtml='];
  t.teardown(() => {
    // Its services outlive the program that started them; this ends those of this prefix alone.
    spawnSync('env', [...env, '/usr/lib/wine/wineserver', '-k'], { timeout: 20_000 });
    rmSync(prefix, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  });
  return (program) => ['env', ...env, 'wine', program];
}
