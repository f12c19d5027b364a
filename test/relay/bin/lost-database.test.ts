import { randomBytes } from 'node:crypto';
import { openSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import t, { type Test } from 'tap';
import { nodeCommand, programEnvironment, startProgram } from '../../../scripts/lib/programs.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'relay', 'bin', 'sitewarden-relay.ts');
const PAGE_BYTES = 4096;

const env = programEnvironment() as Record<string, string>;
const run = (...args: string[]) => runTool(nodeCommand([PROGRAM, ...args]), { env });
const LINK = ['sign-in-link', '--public-url', 'http://127.0.0.1:1', '--json'];

/** One line with code and next step, and no stack. */
async function refuses(t: Test, args: string[], line: RegExp): Promise<void> {
  const { exitCode, stderr } = await run(...args);
  t.equal(exitCode, 1, args.join(' '));
  t.match(stderr, line);
  t.notMatch(stderr, /\n\s+at /, 'no stack');
}

/** Keys and a database with one partner. */
async function begun(t: Test): Promise<{ dataDir: string; file: string }> {
  const dataDir = t.testdir();
  t.equal((await run('init', '--data-dir', dataDir)).ok, true);
  t.equal((await run(...LINK, '--data-dir', dataDir, '--create-partner', 'Northwind')).ok, true);
  return { dataDir, file: join(dataDir, 'relay.db') };
}

t.test('a database that is gone while the keys are here is not silently made anew', async (t) => {
  const { dataDir, file } = await begun(t);
  const lost = /^STORE_LOST: .*relay\.db.*backup.*init --new-database\. \(dataDir\)/;
  const begin = ['init', '--new-database', '--data-dir', dataDir];
  await refuses(t, begin, /^STORE_EXISTS: .*relay\.db/);
  await rm(file);
  await refuses(t, ['init', '--data-dir', dataDir], /^KEYS_EXIST/);
  t.match(await run('init', '--if-missing', '--data-dir', dataDir), { exitCode: 0 });
  for (const command of [['serve', '--port', '0'], LINK, ['migrate']]) {
    await refuses(t, [...command, '--data-dir', dataDir], lost);
  }
  t.match(await run(...begin), { stdout: /A new database is made/ });
  const relay = await startProgram({
    name: 'relay',
    entry: PROGRAM,
    args: ['serve', '--data-dir', dataDir, '--port', '0', '--ready-json'],
  });
  t.match(relay.ready.signInUrl, /\/sign-in#/, 'it begins anew');
  t.match(relay.output(), /the database was checked: no damage found/);
  await relay.stop();
  truncateSync(file);
  await refuses(t, ['people', '--data-dir', dataDir], lost);
  await refuses(t, ['init', '--new-database', '--data-dir', join(dataDir, 'none')], /^KEYS_MISSING/);
});

t.test('a file that is no database is named by every command, with the next step', async (t) => {
  const { dataDir, file } = await begun(t);
  writeFileSync(file, randomBytes(20 * PAGE_BYTES));
  for (const command of [['serve', '--port', '0'], LINK, ['audit-verify']]) {
    await refuses(
      t,
      [...command, '--data-dir', dataDir],
      /^SQLITE_DAMAGED: .*relay\.db: file is not a database\. .*restore a copy/,
    );
  }
});

t.test('a relay whose database has damaged pages does not start, and says what it found', async (t) => {
  const { dataDir, file } = await begun(t);
  const pages = statSync(file).size / PAGE_BYTES;
  const fd = openSync(file, 'r+');
  for (const page of [0.3, 0.5, 0.7].map((part) => Math.floor(pages * part))) {
    writeSync(fd, randomBytes(PAGE_BYTES), 0, PAGE_BYTES, page * PAGE_BYTES);
  }
  await refuses(
    t,
    ['serve', '--port', '0', '--data-dir', dataDir],
    /^SQLITE_DAMAGED: .*relay\.db: .*(page|Tree|malformed)/,
  );
});
