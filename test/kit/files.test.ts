import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ensureDir, readFileIfExists, writeFileAtomic } from '@sitewarden/kit/files';
import t from 'tap';

const modeOf = (path: string) => statSync(path).mode & 0o777;

t.test('a file is written privately and leaves nothing beside it', async (t) => {
  const dir = t.testdir();
  const path = join(dir, 'identity.json');
  await writeFileAtomic(path, '{"a":1}');
  t.equal(readFileSync(path, 'utf8'), '{"a":1}');
  t.equal(modeOf(path), 0o600);
  t.strictSame(readdirSync(dir), ['identity.json']);
});

t.test('the mode is exact whatever the umask and the old mode', async (t) => {
  const path = join(t.testdir({ page: 'old' }), 'page');
  chmodSync(path, 0o777);
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  await writeFileAtomic(path, new Uint8Array([1, 2]), { mode: 0o644 });
  t.equal(modeOf(path), 0o644);
  t.strictSame([...readFileSync(path)], [1, 2]);
});

t.test('a failed write keeps the old content and removes its temp', async (t) => {
  const dir = t.testdir({ target: { inside: '' } });
  await t.rejects(writeFileAtomic(join(dir, 'target'), 'x'), { code: /EISDIR|ENOTEMPTY|EEXIST/ });
  t.strictSame(readdirSync(dir), ['target']);
  t.strictSame(readdirSync(join(dir, 'target')), ['inside']);
});

t.test('a symbolic link is replaced, its target is left alone', async (t) => {
  const dir = t.testdir({ real: 'kept' });
  symlinkSync(join(dir, 'real'), join(dir, 'link'));
  await writeFileAtomic(join(dir, 'link'), 'new');
  t.equal(readFileSync(join(dir, 'real'), 'utf8'), 'kept');
  t.equal(readFileSync(join(dir, 'link'), 'utf8'), 'new');
});

t.test('temps of dead writers of the same target are removed, others are not', async (t) => {
  const deadPid = spawnSync(process.execPath, ['-e', '']).pid;
  const dir = t.testdir();
  const temp = (target: string, pid: number) => join(dir, `.${target}.${pid}-0123456789ab.tmp`);
  for (const path of [temp('a', deadPid), temp('b', deadPid), temp('a', process.ppid)]) writeFileSync(path, 'x');
  writeFileSync(join(dir, '.a.notes.tmp'), 'x');
  await writeFileAtomic(join(dir, 'a'), 'new');
  t.notOk(existsSync(temp('a', deadPid)));
  t.ok(existsSync(temp('b', deadPid)), 'of another target');
  t.ok(existsSync(temp('a', process.ppid)), 'of a live process, just written');
  t.ok(existsSync(join(dir, '.a.notes.tmp')), 'not one of ours');
  utimesSync(temp('a', process.ppid), new Date(0), new Date(0));
  await writeFileAtomic(join(dir, 'a'), 'new');
  t.notOk(existsSync(temp('a', process.ppid)), 'an old one, its pid was reused');
});

t.test('twenty writers at once end with one whole content', async (t) => {
  const dir = t.testdir();
  const path = join(dir, 'state');
  const contents = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(50_000));
  await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
  t.ok(contents.includes(readFileSync(path, 'utf8')));
  t.strictSame(readdirSync(dir), ['state']);
});

t.test('ensureDir makes private folders, keeps an existing mode and refuses a file', async (t) => {
  const dir = t.testdir({ file: '' });
  await ensureDir(join(dir, 'a/b'));
  t.equal(modeOf(join(dir, 'a/b')), 0o700);
  mkdirSync(join(dir, 'shared'));
  chmodSync(join(dir, 'shared'), 0o755);
  await ensureDir(join(dir, 'shared'));
  t.equal(modeOf(join(dir, 'shared')), 0o755);
  await t.rejects(ensureDir(join(dir, 'file')), { code: 'FILE_NOT_DIRECTORY' });
  await t.rejects(ensureDir(join(dir, 'file/below')), { code: 'FILE_NOT_DIRECTORY' });
});

t.test('readFileIfExists answers undefined only for a file that is not there', async (t) => {
  const dir = t.testdir({ file: 'x' });
  t.equal((await readFileIfExists(join(dir, 'file')))?.toString(), 'x');
  t.equal(await readFileIfExists(join(dir, 'none')), undefined);
  await t.rejects(readFileIfExists(dir), { code: 'EISDIR' });
});

t.test('ensureDir ends on a file system that takes no folders, with the path and the next step', async (t) => {
  if (process.platform !== 'linux') return;
  for (const path of ['/proc/nope', '/proc/nope/deeper/still']) {
    await t.rejects(ensureDir(path), {
      code: 'DATA_DIR_UNUSABLE',
      message: new RegExp(`${path}: .*ENOENT.*Name another path`),
    });
  }
  const dir = t.testdir({ link: t.fixture('symlink', 'nowhere') });
  await t.rejects(ensureDir(join(dir, 'link')), { code: 'DATA_DIR_UNUSABLE' });
  await t.rejects(ensureDir('/dev/null/under'), { code: 'FILE_NOT_DIRECTORY' });
});
