import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import { acquireLock, isLocked } from '@sitewarden/kit/files';
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

t.test('who only looks sees whether it is held, and keeps nobody from it', async (t) => {
  const path = join(t.testdir(), 'lock');
  t.equal(isLocked(path), false, 'there is none');
  const holder = spawnScript('hold-lock.ts', [path]);
  t.equal(await firstLine(holder), 'held');
  t.equal(isLocked(path), true);
  holder.kill('SIGKILL');
  await ended(holder);
  t.equal(isLocked(path), false, 'whatever its pid file says');
  const lock = acquireLock(path);
  t.equal(isLocked(path), true, 'also of this process');
  t.throws(() => acquireLock(path), { code: 'FILE_LOCKED' }, 'and looking did not drop it');
  lock.release();
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

t.test('a full disk keeps nobody from a lock; without room for one more file it is said', async (t) => {
  if (skipWithout(t, { root: true, tools: ['mount', 'umount'] })) return;
  for (const [options, fill] of [
    ['size=1m', fillBytes],
    ['size=1m,nr_inodes=3', fillFiles],
    ['size=1m,nr_inodes=2', fillFiles],
  ] as const) {
    const disk = mkdtempSync(join(tmpdir(), 'sitewarden-lock-disk-'));
    t.equal((await runTool(['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', disk])).ok, true);
    t.teardown(async () => {
      await runTool(['umount', disk]);
      rmSync(disk, { recursive: true, force: true });
    });
    fill(disk);
    const path = join(disk, 'lock');
    if (options.endsWith('=2')) {
      t.throws(() => acquireLock(path), { code: 'FILE_LOCK_NO_ROOM', message: /Free some space/ }, options);
      continue;
    }
    const lock = acquireLock(path);
    t.throws(() => acquireLock(path), { code: 'FILE_LOCKED' }, options);
    lock.release();
  }
});

function fillFiles(dir: string): void {
  writeFileSync(join(dir, 'other'), '');
}

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
