import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import { waitFor } from '../../../scripts/lib/wait.ts';
import { makeChain } from '../../helpers/certificates.ts';
import { freePort } from '../../helpers/free-port.ts';
import { findTool, skipWithout } from '../../helpers/needs.ts';
import { claimWith, uplinkFixture } from '../helpers/uplink-fixture.ts';

/** A real proxy on loopback; `log` is what it says it did. */
async function tinyproxy(t: Test, ...options: string[]) {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-proxy-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const port = await freePort();
  const config = join(dir, 'tinyproxy.conf');
  const log = join(dir, 'log');
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'LogLevel Connect',
    `LogFile "${log}"`,
    'MaxClients 20',
    ...options,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = spawn(findTool('tinyproxy')!, ['-d', '-c', config], { stdio: 'ignore' });
  t.teardown(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  await waitFor('the proxy', async () => {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]);
    socket.destroy();
    return isOpen;
  });
  return { url: `http://127.0.0.1:${port}`, log: () => readFileSync(log, 'utf8') };
}

const NEEDS = { tools: ['tinyproxy'] };
const orders = { method: 'GET', path: BOX_PATHS.orders } as const;

t.test('the box reaches its relay through a proxy that tunnels, verified end to end', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  const proxy = await tinyproxy(t);
  const chain = await makeChain({ aroundMs: Date.now() });
  const fixture = await uplinkFixture(t, { tls: chain, proxy: { url: proxy.url } });
  claimWith(fixture);
  t.equal((await fixture.client.send(orders)).status, 200);
  t.match(proxy.log(), /CONNECT 127\.0\.0\.1:\d+/);
  t.notMatch(proxy.log(), BOX_PATHS.orders, 'the proxy sees where to, and nothing else');

  const other = await uplinkFixture(t, {
    tls: { ...chain, ca: (await makeChain({ aroundMs: Date.now() })).ca },
    proxy,
  });
  await t.rejects(other.client.send(orders), { code: 'RELAY_TLS' }, 'a relay of another CA stays refused behind it');
});

t.test('a proxy that wants a login gets it, and one that refuses is named with its next step', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  const { url } = await tinyproxy(t, 'BasicAuth clinic s3cret');
  const tls = await makeChain({ aroundMs: Date.now() });
  const signedIn = await uplinkFixture(t, { tls, proxy: { url, credentials: 'clinic:s3cret' } });
  claimWith(signedIn);
  t.equal((await signedIn.client.send(orders)).status, 200);
  const stranger = await uplinkFixture(t, { tls, proxy: { url } });
  await t.rejects(stranger.client.send(orders), { code: 'RELAY_PROXY', kind: 'unsent', message: /407.*doctor/s });
});

t.test('a relay without TLS is reached through it too', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  const { url } = await tinyproxy(t, 'BasicAuth clinic s3cret');
  const fixture = await uplinkFixture(t, { proxy: { url, credentials: 'clinic:s3cret' } });
  claimWith(fixture);
  t.equal((await fixture.client.send(orders)).status, 200);
});
