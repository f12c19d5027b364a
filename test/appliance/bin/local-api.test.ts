import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { generateEd25519 } from '@sitewarden/agent-proto/keys';
import { acquireLock } from '@sitewarden/kit/files';
import t, { type Test } from 'tap';
import { openLocalApi } from '../../../appliance/bin/local-api.ts';
import { LOCK_FILE, writeRunFile } from '../../../appliance/lib/run-file.ts';
import { ADMIN_TOKEN_FILE } from '../../../appliance/local/index.ts';
import { freePort } from '../../helpers/free-port.ts';

/** The folder of a daemon whose port is shut; `release` is its end. */
async function daemonWithoutPort(t: Test) {
  const dataDir = t.testdir({ [ADMIN_TOKEN_FILE]: 'token' });
  const port = await freePort();
  const configFile = join(dataDir, 'appliance.yaml');
  const relay = { url: 'http://127.0.0.1:9', rootKey: generateEd25519().publicKey };
  writeFileSync(configFile, JSON.stringify({ dataDir, relay }));
  const lock = acquireLock(join(dataDir, LOCK_FILE));
  await writeRunFile(dataDir, { pid: process.pid, localUrl: `http://127.0.0.1:${port}`, intakeAddress: '127.0.0.1:1' });
  const api = await openLocalApi(configFile);
  return { api, port, release: () => lock.release() };
}

const listen = (server: Server, port: number) =>
  new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

t.test('a command waits for a daemon whose parts begin anew, and asks it once', async (t) => {
  const { api, port, release } = await daemonWithoutPort(t);
  t.teardown(release);
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end('{"ok":true}');
  });
  t.teardown(() => server.close());
  setTimeout(() => void listen(server, port), 700);
  t.strictSame(await api.call('POST', '/api/local/anything', {}), { ok: true });
  t.equal(asked, 1);
});

t.test('a request that reached the daemon is not sent again', async (t) => {
  const { api, port, release } = await daemonWithoutPort(t);
  t.teardown(release);
  let asked = 0;
  const server = createServer((request) => {
    asked += 1;
    request.socket.destroy();
  });
  t.teardown(() => server.close());
  await listen(server, port);
  await t.rejects(api.call('POST', '/api/local/anything', {}), { code: 'LOCAL_API_UNREACHABLE' });
  t.equal(asked, 1);
});

t.test('a daemon that ends meanwhile is not waited for', async (t) => {
  const { api, release } = await daemonWithoutPort(t);
  setTimeout(release, 300);
  const fromMs = performance.now();
  await t.rejects(api.call('GET', '/api/local/status'), { code: 'LOCAL_API_UNREACHABLE' });
  t.ok(performance.now() - fromMs < 10_000);
});
