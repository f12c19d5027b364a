import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { detectRmm } from '../../../agent/rmm/index.ts';
import { findTool } from '../../helpers/needs.ts';
import { until } from '../helpers/wait.ts';

t.test('a running management tool is found by its process, and gone when it is gone', async (t) => {
  const program = join(t.testdir(), 'meshagent');
  copyFileSync(findTool('sleep')!, program);
  const child = spawn(program, ['60']);
  await once(child, 'spawn');
  await until('its name', () => readFileSync(`/proc/${child.pid}/comm`, 'utf8').trim() === 'meshagent');
  const found = { product: 'MeshCentral', version: '', running: true, foundBy: 'process' };
  t.match(
    (await detectRmm())?.find(({ product }) => product === 'MeshCentral'),
    found,
  );
  child.kill('SIGKILL');
  await once(child, 'close');
  t.equal(
    (await detectRmm())?.some(({ product, running }) => product === 'MeshCentral' && running),
    false,
  );
});
