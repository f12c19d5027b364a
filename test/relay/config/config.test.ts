import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readConfig, readSecret } from '../../../relay/config/index.ts';
import { storeOptions } from '../../../relay/store/index.ts';

t.test('a data folder is all that must be said', async (t) => {
  t.match(readConfig('dataDir: /srv/relay'), {
    dataDir: '/srv/relay',
    listen: { host: '127.0.0.1', port: 8443 },
    store: { kind: 'sqlite' },
    trustProxy: [],
    logLevel: 'info',
    limits: {
      requestsPerMinute: 3000,
      claimsPerMinute: 300,
      signInsPerMinute: 20,
      boxRequestsPerMinute: 1200,
      eventStreams: 1000,
    },
  });
});

t.test('every fault is told at once, with its line and the nearest known key', async (t) => {
  const text = 'dataDir: /srv/relay\npublicURL: https://relay.example.org\nlisten:\n  port: "8443"\n';
  try {
    readConfig(text, { fileName: 'relay.yaml' });
    t.fail('it was taken');
  } catch (error) {
    t.match(error, { code: 'CONFIG_INVALID' });
    const { message } = error as Error;
    t.match(message, /relay\.yaml:2:1: publicURL: unknown key/);
    t.match(message, /publicUrl/);
    t.match(message, /relay\.yaml:4:\d+: listen\.port/);
  }
});

t.test('the command line wins over the file, member by member', async (t) => {
  const config = readConfig('listen: { host: 0.0.0.0, port: 1 }\nlimits: { signInsPerMinute: 5 }\n', {
    overrides: { dataDir: '/srv', listen: { port: 2 }, publicUrl: undefined },
  });
  t.match(config, { dataDir: '/srv', listen: { host: '0.0.0.0', port: 2 }, limits: { signInsPerMinute: 5 } });
});

t.test('a public URL is an origin and nothing more', async (t) => {
  const read = (publicUrl: string) => () => readConfig(JSON.stringify({ dataDir: '/srv', publicUrl }));
  for (const good of ['https://relay.example.org', 'http://127.0.0.1:8443', 'http://[::1]:8443']) {
    t.doesNotThrow(read(good), good);
  }
  for (const bad of ['relay.example.org', 'https://relay.example.org/', 'https://Relay.example.org', 'ftp://x']) {
    t.throws(read(bad), { code: 'CONFIG_INVALID' }, bad);
  }
});

t.test('connection strings come from files', async (t) => {
  const folder = t.testdir({ app: 'postgres://app@db/relay\n', empty: '\n' });
  const store = { kind: 'postgres', connectionStringFile: join(folder, 'app') };
  const config = readConfig(JSON.stringify({ dataDir: folder, store }));
  t.strictSame(await storeOptions(config), { kind: 'postgres', connectionString: 'postgres://app@db/relay' });
  await t.rejects(readSecret(join(folder, 'nothing'), 'store.connectionStringFile'), {
    code: 'CONFIG_INVALID',
    field: 'store.connectionStringFile',
  });
  await t.rejects(readSecret(join(folder, 'empty'), 'x'), { code: 'CONFIG_INVALID' });
  await writeFile(join(folder, 'app'), 'other');
  t.match(await storeOptions(readConfig(`dataDir: ${folder}`)), { kind: 'sqlite', file: `${folder}/relay.db` });
});
