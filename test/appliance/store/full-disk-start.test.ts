import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import t from 'tap';
import { waitFor } from '../../../scripts/lib/wait.ts';
import { startAppliance } from '../../helpers/appliance.ts';
import { skipWithout } from '../../helpers/needs.ts';

const SIZE = '64m';

/** Takes what is left of the disk, as another program would. */
function fill(path: string): void {
  for (let bytes = 1024 * 1024; bytes >= 4096; bytes /= 2) {
    for (let part = 0; ; part += 1) {
      try {
        writeFileSync(join(path, `other-${bytes}-${part}`), Buffer.alloc(bytes));
      } catch {
        break;
      }
    }
  }
}

t.test('a box that was killed on a disk that then filled starts again, by its reserve', async (t) => {
  if (skipWithout(t, { root: true, tools: ['mount', 'umount'] })) return;
  const disk = mkdtempSync(join(tmpdir(), 'sitewarden-small-disk-'));
  const mounted = await runTool(['mount', '-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', disk]);
  t.equal(mounted.ok, true, mounted.stderr);
  t.teardown(async () => {
    await runTool(['umount', disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  const dataDir = join(disk, 'data');
  const reserve = join(dataDir, 'reserve');
  const first = await startAppliance({ dataDir });
  await waitFor('the reserve', () => existsSync(reserve));
  first.kill('SIGKILL');
  await first.exited;
  fill(disk);
  t.throws(() => writeFileSync(join(disk, 'more'), Buffer.alloc(8192)), { code: 'ENOSPC' }, 'the control: it is full');

  const second = await startAppliance({ dataDir });
  t.teardown(() => second.stop());
  t.equal(existsSync(reserve), false, 'the reserve was given up');
  t.equal((await fetch(`${second.localUrl}/api/local/status`)).status, 200);
  t.strictSame(
    readdirSync(dataDir).filter((name) => name.endsWith('.tmp')),
    [],
    'nothing half-written is left',
  );
});
