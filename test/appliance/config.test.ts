import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeConfig } from '@sitewarden/kit/config';
import t from 'tap';
import { ApplianceConfigSchema, parseConfig, readConfigFile } from '../../appliance/config/index.ts';

const EXAMPLE = join(import.meta.dirname, '../../appliance/config.example.yaml');
const RELAY = `relay: { url: https://relay.example.com, rootKey: ${'A'.repeat(43)} }\n`;

t.test('the example is good and says the defaults', async (t) => {
  const shown = parseConfig(readFileSync(EXAMPLE, 'utf8'), 'config.example.yaml');
  const plain = parseConfig(RELAY, 'plain.yaml');
  if (!shown.ok || !plain.ok) throw new Error('one of them is refused');
  t.strictSame({ ...shown.value, relay: null }, { ...plain.value, relay: null });
});

t.test('the example names every key there is, and no other', async (t) => {
  const text = readFileSync(EXAMPLE, 'utf8');
  for (const { key } of describeConfig(ApplianceConfigSchema)) {
    const name = key.split('.').at(-1)!;
    t.match(text, new RegExp(`^[# ]*${name}:`, 'm'), key);
  }
  const named = [...text.matchAll(/^#? *([a-z][A-Za-z]+):/gm)].map((match) => match[1]!);
  const known = new Set(describeConfig(ApplianceConfigSchema).flatMap(({ key }) => key.split('.')));
  t.strictSame(
    named.filter((name) => !known.has(name)),
    [],
  );
});

t.test('every issue is told at once, with its place', async (t) => {
  const result = parseConfig(
    'relay: { url: "relay.example.com/path", rootkey: x }\nintake: { port: 70000 }\nlogLevel: loud\nwhat: 1\n',
    'box.yaml',
  );
  if (result.ok) throw new Error('it was taken');
  t.strictSame(
    result.issues.map(({ path, line }) => `${line} ${path}`).sort(),
    ['1 relay.rootKey', '1 relay.rootkey', '1 relay.url', '2 intake.port', '3 logLevel', '4 what'].sort(),
  );
  t.match(result.issues.find(({ path }) => path === 'relay.rootkey')?.hint, /rootKey/);
});

t.test('the relay is reached over http on the box itself only', async (t) => {
  const read = (url: string) => parseConfig(RELAY.replace('https://relay.example.com', `"${url}"`), 'box.yaml');
  const good = [
    'http://localhost',
    'http://localhost:8080/',
    'http://127.0.0.1:9',
    'http://127.8.9.10',
    'http://[::1]:80',
  ];
  for (const url of [...good, 'https://relay.example.com:8443']) t.ok(read(url).ok, url);
  const clear = [
    'relay.example.com',
    '10.0.0.7:80',
    '127.evil.com',
    '127.0.0.1.evil.com',
    'localhost.evil.com',
    '[::2]',
  ];
  for (const host of clear) {
    const result = read(`http://${host}`);
    if (result.ok) t.fail(host);
    else t.match(result.issues, [{ path: 'relay.url', message: /must be https/, hint: /relay\.caFile/ }], host);
  }
  const dir = t.testdir({ 'clear.yaml': RELAY.replace('https', 'http') });
  await t.rejects(readConfigFile(join(dir, 'clear.yaml')), { code: 'CONFIG_INVALID', message: /relay\.url/ });
});

t.test('a provisioning code has no place in the file', async (t) => {
  const result = parseConfig(`${RELAY}provisioningCode: BCDF-GHJKL-MNPQR\n`, 'box.yaml');
  t.equal(result.ok, false);
});

t.test('a file that is missing or bad is a coded error', async (t) => {
  await t.rejects(readConfigFile('/nonexistent/appliance.yaml'), { code: 'CONFIG_UNREADABLE' });
  const dir = t.testdir({ 'bad.yaml': 'relay: 5\n' });
  await t.rejects(readConfigFile(join(dir, 'bad.yaml')), { code: 'CONFIG_INVALID', message: /bad\.yaml:1:8: relay/ });
});
