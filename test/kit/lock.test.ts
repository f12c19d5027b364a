import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import { acquireLock } from '@sitewarden/kit/files';
import t from 'tap';
import { skipWithout } from '../helpers/needs.ts';
import { ended, firstLine, spawnScript } from './children/spawn.ts';

t.test('a second holder in the same process is refused and told the pid', async (t) => {
  const path = join(t.testdir(), 'lock');
  const lock = acquireLock(path);
  t.throws(() => acquireLock(path), { code: 'FILE_LOCKED', data: { pid: process.pid } });
  lock.release();
  lock.release();
  acquireLock(path).release();
  t.equal(statSync(path).mode & 0o777, 0o600);
});

t.test('another process is refused until the holder is gone, however it dies', async (t) => {
  const path = join(t.testdir(), 'lock');
  const holder = spawnScript('hold-lock.ts', [path]);
  t.equal(await firstLine(holder), 'held');
  t.throws(() => acquireLock(path), { code: 'FILE_LOCKED', message: new RegExp(`process ${holder.pid}`) });
  holder.kill('SIGKILL');
  await ended(holder);
  t.equal(Number(readFileSync(`${path}.pid`, 'utf8')), holder.pid, 'the dead holder left its pid behind');
  const lock = acquireLock(path);
  t.equal(Number(readFileSync(`${path}.pid`, 'utf8')), process.pid);
  lock.release();
});

t.test('a clean release lets another process in', async (t) => {
  const path = join(t.testdir(), 'lock');
  const holder = spawnScript('hold-lock.ts', [path]);
  t.equal(await firstLine(holder), 'held');
  holder.stdin.end();
  t.equal(await ended(holder), 0);
  acquireLock(path).release();
});

t.test('a stale pid file alone locks nobody out', async (t) => {
  const path = join(t.testdir(), 'lock');
  writeFileSync(`${path}.pid`, `${process.ppid}\n`);
  const lock = acquireLock(path);
  t.equal(lock.path, path);
  lock.release();
});

t.test('a lock file that is no lock is named with what to do', async (t) => {
  const path = join(t.testdir({ lock: 'x'.repeat(5000) }), 'lock');
  t.throws(() => acquireLock(path), { code: 'FILE_LOCK_UNUSABLE', message: /remove it while nothing runs/ });
});

t.test('a full disk is told apart from a lock file that does not work', async (t) => {
  if (skipWithout(t, { root: true, tools: ['mount', 'umount'] })) return;
  for (const [options, fill] of [
    ['size=1m', (dir: string) => fillBytes(dir)],
    ['size=1m,nr_inodes=3', (dir: string) => writeFileSync(join(dir, 'other'), '')],
    ['size=1m,nr_inodes=2', (dir: string) => writeFileSync(join(dir, 'other'), '')],
  ] as const) {
    const disk = mkdtempSync(join(tmpdir(), 'sitewarden-lock-disk-'));
    t.equal((await runTool(['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', disk])).ok, true);
    t.teardown(async () => {
      await runTool(['umount', disk]);
      rmSync(disk, { recursive: true, force: true });
    });
    fill(disk);
    t.throws(() => acquireLock(join(disk, 'lock')), { code: 'FILE_LOCK_NO_ROOM', message: /Free some space/ }, options);
  }
});

function fillBytes(dir: string): void {
  for (let bytes = 65_536; bytes >= 1024; bytes /= 2) {
    for (let part = 0; ; part += 1) {
      try {
        writeFileSync(join(dir, `other-${bytes}-${part}`), Buffer.alloc(bytes));
      } catch {
        break;
      }
    }
  }
}
