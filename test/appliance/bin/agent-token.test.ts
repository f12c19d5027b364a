import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { ENTRIES } from '../../../scripts/lib/programs.ts';
import { startAppliance } from '../../helpers/appliance.ts';
import { runScript } from '../../helpers/run-script.ts';

t.test('a token file is made where nothing was, and no token where it cannot be', async (t) => {
  const dir = t.testdir({ 'important.yaml': 'keep: me\n' });
  const dataDir = join(dir, 'data');
  mkdirSync(dataDir);
  const box = await startAppliance({ dataDir, logLevel: 'warn' });
  t.teardown(() => box.stop());
  const tokens = () => {
    const db = new Database(join(dataDir, 'appliance.db'), { readonly: true });
    try {
      return db.prepare('SELECT count(*) FROM enroll_token').pluck().get();
    } finally {
      db.close();
    }
  };
  const run = (...args: string[]) =>
    runScript(ENTRIES.appliance, 'agents', 'token', '--config', box.configFile, ...args);
  const refuses = async (code: string, ...args: string[]) => {
    const { code: exitCode, err } = await run(...args);
    t.equal(exitCode, 1, args.join(' '));
    t.match(err, `[${code}]`);
  };

  const important = join(dir, 'important.yaml');
  await refuses('OUT_FILE_EXISTS', '--out', important);
  t.equal(readFileSync(important, 'utf8'), 'keep: me\n');
  const link = join(dir, 'link');
  symlinkSync(join(dir, 'elsewhere'), link);
  await refuses('OUT_FILE_EXISTS', '--out', link);
  t.notOk(existsSync(join(dir, 'elsewhere')), 'not through a link either');
  await refuses('OUT_FILE_UNWRITABLE', '--out', join(dir, 'no', 'such', 'folder.json'));
  const free = join(dir, 'token.json');
  for (const address of ['box', 'box:0', 'box:65536', 'a box:1', ':50051', 'box:5x', '[::zz]:1', 'a:b:1']) {
    await refuses('ADDRESS_INVALID', '--out', free, '--address', address);
  }
  t.notOk(existsSync(free));
  t.equal(tokens(), 0, 'none was made');

  for (const [index, address] of ['box.clinic.example:50051', '[fd00::1]:65535', '192.0.2.4:1'].entries()) {
    const path = index === 0 ? free : `${free}.${index}`;
    t.equal((await run('--out', path, '--address', address)).code, 0);
    t.match(JSON.parse(readFileSync(path, 'utf8')), { applianceAddress: address, token: /./ });
    t.equal(statSync(path).mode & 0o777, 0o600);
  }
  t.equal(tokens(), 3);
});
