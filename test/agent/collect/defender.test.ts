import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseClamVersion, parseVdbTime } from '../../../agent/collect/defender/clamav.ts';
import { ENGINES } from '../../../agent/collect/defender/engines.ts';
import { findTool } from '../../helpers/needs.ts';
import { until } from '../helpers/wait.ts';
import { runOne } from './run-one.ts';

t.test('the build time of a ClamAV database comes from its header', async (t) => {
  const header = 'ClamAV-VDB:16 Mar 2024 04-29 -0400:27216:2056668:90:3f1b...:sig:raynman:1710577740';
  t.equal(parseVdbTime(header), Date.UTC(2024, 2, 16, 8, 29));
  t.equal(parseVdbTime('ClamAV-VDB:07 Sep 2023 09-00 +0200:1:'), Date.UTC(2023, 8, 7, 7, 0));
  for (const bad of ['', 'ClamAV-VDB:16 Foo 2024 04-29 -0400:1:', 'PK\u0003\u0004']) {
    t.equal(parseVdbTime(bad), undefined, bad);
  }
  t.equal(parseClamVersion('ClamAV 1.0.7/27500/Tue Dec 31 09:42:01 2024\n'), '1.0.7');
  t.equal(parseClamVersion('bash: clamd: command not found'), undefined);
});

t.test('no process name is longer than the kernel keeps', async (t) => {
  for (const { name, processes, realtime = [] } of ENGINES) {
    for (const process of [...processes, ...realtime]) t.ok(Buffer.byteLength(process) <= 15, `${name}: ${process}`);
  }
});

/** A real process under another name: the kernel names it after its file. */
async function withProcess<T>(dir: string, name: string, use: () => Promise<T>): Promise<T> {
  const program = join(dir, name);
  copyFileSync(findTool('sleep')!, program);
  const child = spawn(program, ['60']);
  try {
    await once(child, 'spawn');
    await until('the name of the process', () => readFileSync(`/proc/${child.pid}/comm`, 'utf8').trim() === name);
    return await use();
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

t.test('a running engine is found by its process', async (t) => {
  const [outcome] = await withProcess(t.testdir(), 'falcon-sensor', () => runOne('defender'));
  t.match(outcome, { status: 'pass', facts: { engine: 'CrowdStrike Falcon', engine_running: true, realtime: true } });
});

t.test('clamd with signatures of unknown age is unknown', async (t) => {
  if (findTool('freshclam') !== undefined) {
    t.pass('ClamAV is really installed here');
    return;
  }
  const [outcome] = await withProcess(t.testdir(), 'clamd', () => runOne('defender'));
  t.match(outcome, { status: 'unknown', facts: { engine: 'ClamAV', engine_running: true, realtime: false } });
});
