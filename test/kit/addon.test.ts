import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { openConnection, unpackAddon, useBundledAddon } from '@sitewarden/kit/addon';
import { assertDurable, openDatabase } from '@sitewarden/kit/sqlite';
import t from 'tap';

const bytes = Buffer.from('machine code');
const name = `better-sqlite3-${createHash('sha256').update(bytes).digest('hex')}.node`;

t.test('the addon lies in a private folder under a name that holds its digest', (t) => {
  const folder = join(t.testdir(), 'native');
  const path = unpackAddon(bytes, folder);
  t.equal(path, join(folder, name));
  t.same(readFileSync(path), bytes);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  t.equal(statSync(path).mode & 0o777, 0o600);
  const { mtimeMs, ino } = statSync(path);
  unpackAddon(bytes, folder);
  t.match(statSync(path), { mtimeMs, ino }, 'a whole file is not written again');
  t.end();
});

t.test('what is loaded is what was shipped: a changed file is replaced, an open folder is closed', (t) => {
  const folder = join(t.testdir(), 'native');
  const path = unpackAddon(bytes, folder);
  writeFileSync(path, 'something else');
  chmodSync(folder, 0o777);
  unpackAddon(bytes, folder);
  t.same(readFileSync(path), bytes);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  t.same(readdirSync(folder), [name]);
  t.end();
});

t.test('a link in place of the file or of the folder is not followed', (t) => {
  const dir = t.testdir({ other: {} });
  const folder = join(dir, 'native');
  mkdirSync(folder);
  writeFileSync(join(dir, 'mine'), bytes);
  symlinkSync(join(dir, 'mine'), join(folder, name));
  t.ok(statSync(unpackAddon(bytes, folder)).isFile());
  t.notOk(existsSync(join(dir, 'other', name)));
  symlinkSync(join(dir, 'other'), join(dir, 'linked'));
  t.throws(() => unpackAddon(bytes, join(dir, 'linked')), { code: 'ADDON_UNUSABLE' });
  t.same(readdirSync(join(dir, 'other')), []);
  t.end();
});

t.test('addons of other versions go, and nothing else', (t) => {
  const folder = join(t.testdir({ native: { 'better-sqlite3-00.node': 'old', 'notes.txt': 'kept' } }), 'native');
  unpackAddon(bytes, folder);
  t.same(readdirSync(folder).sort(), [name, 'notes.txt'].sort());
  t.end();
});

t.test('a folder whose parent is missing is not made', (t) => {
  t.throws(() => unpackAddon(bytes, join(t.testdir(), 'nowhere', 'native')), { code: 'ENOENT' });
  t.end();
});

t.test('a database of the unpacked addon syncs every commit; bytes that are no library are refused', (t) => {
  const dir = t.testdir();
  useBundledAddon(() => bytes);
  t.throws(() => openConnection(join(dir, 'a.db'), {}), { code: 'ADDON_UNUSABLE' });
  const library = dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'));
  const addon = readFileSync(join(library, 'prebuilds', `${process.platform}-${process.arch}.node`));
  useBundledAddon(() => addon);
  const db = openDatabase(join(dir, 'b.db'), { migrations: [] });
  t.doesNotThrow(() => assertDurable(db));
  db.close();
  const [unpacked] = readdirSync(join(dir, 'native'));
  t.match(readFileSync('/proc/self/maps', 'utf8'), unpacked, 'the copy is what this process runs');
  t.end();
});
