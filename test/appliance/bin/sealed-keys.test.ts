import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ENTRIES, runProgram, startProgram } from '../../../scripts/lib/programs.ts';
import { runScript } from '../../helpers/run-script.ts';
import { skipWithoutTpm, startSwtpm } from '../../helpers/swtpm.ts';

function configFile(t: Test): (name: string, identity: object) => string {
  const base = t.testdir({ data: {} });
  return (name, identity) => {
    const path = join(base, `${name}.yaml`);
    const config = {
      relay: { url: 'http://127.0.0.1:1', rootKey: 'A'.repeat(43) },
      dataDir: join(base, 'data'),
      intake: { host: '127.0.0.1', port: 0 },
      local: { port: 0 },
      discovery: { enabled: false },
      identity,
    };
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(path, JSON.stringify(config));
    return path;
  };
}

const startBox = (config: string) =>
  startProgram({ name: 'appliance', entry: ENTRIES.appliance, args: ['run', '-c', config, '--ready-json'] });

t.test('a box seals its keys to its TPM, says so, and does not start on another machine', async (t) => {
  if (skipWithoutTpm(t)) return;
  const write = configFile(t);
  const plain = write('plain', { tpm: 'off' });
  const keysOf = async (config: string) =>
    (JSON.parse((await runScript(ENTRIES.appliance, 'doctor', '--json', '-c', config)).out) as { keys: string }).keys;
  const status = async (config: string) =>
    (JSON.parse(await runProgram('appliance', ['status', '--json', '-c', config])) as { identity: object }).identity;
  t.equal(await keysOf(plain), null, 'before the first start');

  const before = await startBox(plain);
  const { fingerprint } = (await status(plain)) as { fingerprint: string };
  t.match(await status(plain), { keyStorage: 'plain' });
  await before.stop();
  t.equal(await keysOf(plain), 'plain');

  const own = await startSwtpm(t);
  const sealed = write('sealed', { tpm: 'required', tcti: own.tcti });
  const running = await startBox(sealed);
  t.match(await status(sealed), { keyStorage: 'tpm', fingerprint }, 'the same box as before');
  await running.stop();
  t.equal(await keysOf(sealed), 'tpm');
  t.match((await runScript(ENTRIES.appliance, 'doctor', '-c', sealed)).out, /^ok +keys +.*sealed to the TPM/m);

  const other = await startSwtpm(t);
  const cases = {
    'another TPM': [write('other', { tcti: other.tcti }), /own machine.*reset.*\[KEYS_SEALED_ELSEWHERE\]$/m],
    'no TPM': [write('none', { tcti: 'swtpm:path=/nonexistent/tpm' }), /tpm2-tools.*\[TPM_NEEDED\]$/m],
  } as const;
  for (const [name, [config, expected]] of Object.entries(cases)) {
    const { code, err } = await runScript(ENTRIES.appliance, 'run', '-c', config);
    t.equal(code, 1, name);
    t.match(err, expected, name);
    t.notMatch(err, /^\s+at /m, `${name}: no stack`);
  }

  const back = await startBox(write('back', { tpm: 'off', tcti: own.tcti }));
  t.match(await status(plain), { keyStorage: 'plain', fingerprint }, 'the way back');
  await back.stop();
});
