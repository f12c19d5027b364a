import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DOCTOR_STEPS } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import type { DoctorLine } from '../../../appliance/doctor/index.ts';
import { ENTRIES } from '../../../scripts/lib/programs.ts';
import { initRelay } from '../../../scripts/lib/relay-setup.ts';
import { waitFor } from '../../../scripts/lib/wait.ts';
import { type Chain, makeChain } from '../../helpers/certificates.ts';
import { type Host, makeLan } from '../../helpers/lan.ts';
import { findTool, skipWithout } from '../../helpers/needs.ts';

const NEEDS = { root: true, tools: ['ip', 'nft', 'dnsmasq', 'tinyproxy', 'faketime'] };
const NAME = 'relay.test';
const ANSWERS = join(import.meta.dirname, 'answers.ts');

interface Site {
  readonly dir: string;
  readonly box: Host;
  readonly router: Host;
  readonly relay: Host;
  readonly chain: Chain;
  readonly rootKey: string;
  /** The real program in the box's network, with the router as its name server. */
  doctor(options?: DoctorOptions): Promise<Record<string, DoctorLine>>;
}

interface DoctorOptions {
  url?: string;
  relayKeys?: object;
  rootKey?: string;
  /** Run before the doctor, in its own view of the file system. */
  prepare?: string;
  /** Like `-3 days`. */
  clock?: string;
  dataDir?: string;
}

/** A clinic: its box, its router with a real name server, and a real relay behind TLS. */
async function makeSite(t: Test): Promise<Site> {
  const dir = t.testdir({ data: {}, relay: {} });
  const { box, router, relay } = await makeLan(t, ['box', 'router', 'relay']);
  const chain = await makeChain({ aroundMs: Date.now(), name: NAME });
  writeFileSync(join(dir, 'ca.pem'), chain.ca);
  writeFileSync(join(dir, 'resolv.conf'), `nameserver ${router.address}\noptions timeout:1 attempts:1\n`);
  const relayConfig = join(dir, 'relay.yaml');
  const listen = { host: relay.address, port: 8080 };
  writeFileSync(
    relayConfig,
    JSON.stringify({ publicUrl: `https://${NAME}`, listen, dataDir: join(dir, 'relay'), logLevel: 'warn' }),
  );
  const rootKey = await initRelay(relayConfig);
  await started(relay, [process.execPath, ENTRIES.relay, 'serve', '--config', relayConfig, '--ready-json']);
  await tlsFront({ dir, relay, chain }, 443);

  async function doctor(options: DoctorOptions = {}): Promise<Record<string, DoctorLine>> {
    const config = join(dir, 'appliance.yaml');
    const ca = { caFile: join(dir, 'ca.pem') };
    const way = { url: options.url ?? `https://${NAME}`, rootKey: options.rootKey ?? rootKey, ...ca };
    const dataDir = options.dataDir ?? join(dir, 'data');
    writeFileSync(config, JSON.stringify({ relay: { ...way, ...options.relayKeys }, dataDir }));
    const time = options.clock === undefined ? '' : `faketime -f '${options.clock}' `;
    const command =
      `mount --bind ${join(dir, 'resolv.conf')} /etc/resolv.conf && ${options.prepare ?? 'true'} && ` +
      `exec env -u NODE_OPTIONS ${time}${process.execPath} ${ENTRIES.appliance} doctor --json --config ${config}`;
    const out = await box.run(['sh', '-c', command], { mayFail: true });
    const { lines } = JSON.parse(out || '{"lines":[]}') as { lines: DoctorLine[] };
    return Object.fromEntries(lines.map((line) => [line.name, line]));
  }
  return { dir, box, router, relay, chain, rootKey, doctor };
}

async function started(host: Host, argv: readonly string[]) {
  const child = host.spawn(['env', '-u', 'NODE_OPTIONS', ...argv]);
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => {
      throw new Error(`${argv.join(' ')} ended`);
    }),
  ])) as [string];
  if (!line.includes('"ready":true')) throw new Error(line);
  return async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
}

const answer = (host: Host, port: number, how: string, detail = '') =>
  started(host, [process.execPath, ANSWERS, host.address, String(port), how, detail]);

/** In front of the relay itself unless another port is named. */
async function tlsFront({ dir, relay, chain }: Pick<Site, 'dir' | 'relay' | 'chain'>, port: number, toPort = 8080) {
  const file = join(dir, `tls-${port}.json`);
  writeFileSync(file, JSON.stringify({ ...chain, to: `http://${relay.address}:${toPort}` }));
  return answer(relay, port, 'tls', file);
}

/** A real dnsmasq; answers how to end it. */
async function nameServer({ router, relay }: Site, ...options: string[]) {
  const argv = ['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root'];
  const facts = options.length > 0 ? options : [`--address=/${NAME}/${relay.address}`];
  const child = router.spawn([
    ...argv,
    '--pid-file=',
    `--listen-address=${router.address}`,
    '--bind-interfaces',
    ...facts,
  ]);
  await waitFor('the name server', async () => (await router.run(['ss', '-lun'])).includes(`${router.address}:53`));
  return async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
}

/** What was found at `step`; everything before it is fine, and what needs it was not looked at. */
function found(t: Test, lines: Record<string, DoctorLine>, step: string, code: string, words: RegExp): void {
  t.match(lines[step], { state: 'failed', code, text: words }, `${code} at ${step}`);
  t.match(lines[step]?.text, /\. [A-Z][^.]+.*\.$/, 'the last sentence says what to do');
  const at = DOCTOR_STEPS.indexOf(step as never);
  for (const name of DOCTOR_STEPS.slice(0, at)) t.equal(lines[name]?.state, 'ok', `${name} before it`);
  for (const name of DOCTOR_STEPS.slice(at + 1, 6)) t.equal(lines[name]?.state, 'skipped', `${name} after it`);
}

t.test('each fault on the way is named, and a good way is called good', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  const site = await makeSite(t);
  const { box, relay, router, doctor } = site;

  await t.test('all is well', async (t) => {
    const stop = await nameServer(site);
    const lines = await doctor();
    t.strictSame(
      DOCTOR_STEPS.map((name) => `${name} ${lines[name]?.state}`),
      DOCTOR_STEPS.map((name) => `${name} ok`),
      JSON.stringify(lines),
    );
    await stop();
  });

  await t.test('name servers', async (t) => {
    found(t, await doctor(), 'dns', 'DNS_SILENT', /does not answer/);
    for (const [option, code, words] of [
      [`--address=/${NAME}/0.0.0.0`, 'DNS_FILTERED', /answers 0\.0\.0\.0 for relay\.test/],
      [`--address=/${NAME}/`, 'DNS_UNKNOWN_NAME', /says there is no relay\.test/],
      ['--address=/other.test/10.0.0.1', 'DNS_FILTERED', /refuses to answer/],
    ] as const) {
      const stop = await nameServer(site, option);
      found(t, await doctor(), 'dns', code, words);
      await stop();
    }
  });

  await t.test('ports', async (t) => {
    const stop = await nameServer(site);
    found(t, await doctor({ url: `https://${NAME}:4443` }), 'tcp', 'PORT_REFUSED', /allow outgoing TCP 4443/);
    await relay.run(['nft', 'add table inet t; add chain inet t in { type filter hook input priority 0; }']);
    await relay.run(['nft', 'add rule inet t in tcp dport 443 drop']);
    found(t, await doctor(), 'tcp', 'PORT_BLOCKED', /drops it/);
    await relay.run(['nft', 'delete table inet t']);
    await box.run(['ip', 'route', 'add', 'unreachable', `${relay.address}/32`]);
    found(t, await doctor(), 'tcp', 'NETWORK_UNREACHABLE', /no way to/);
    await box.run(['ip', 'route', 'del', 'unreachable', `${relay.address}/32`]);
    await stop();
  });

  await t.test('what stands before TLS', async (t) => {
    const stop = await nameServer(site);
    const gate = await makeChain({ aroundMs: Date.now(), name: NAME, maker: 'FortiGate CA' });
    await tlsFront({ ...site, chain: gate }, 8443);
    found(t, await doctor({ url: `https://${NAME}:8443` }), 'tls', 'TLS_INTERCEPTED', /made by "FortiGate CA"/);
    const other = await makeChain({ aroundMs: Date.now(), name: 'other.test' });
    await tlsFront({ ...site, chain: other }, 8444);
    writeFileSync(join(site.dir, 'other.pem'), other.ca);
    const trusted = { caFile: join(site.dir, 'other.pem') };
    found(t, await doctor({ url: `https://${NAME}:8444`, relayKeys: trusted }), 'tls', 'TLS_NAME', /"relay"/);
    await answer(relay, 8445, 'page');
    found(t, await doctor({ url: `https://${NAME}:8445` }), 'tls', 'TLS_NOT_SPOKEN', /answers without TLS/);
    await stop();
  });

  await t.test('what answers instead of the relay', async (t) => {
    const stop = await nameServer(site);
    for (const [i, [how, code, words]] of (
      [
        ['redirect', 'CAPTIVE_PORTAL', /portal\.guest\.test/],
        ['page', 'CAPTIVE_PORTAL', /Sign this network in/],
        ['network-login', 'CAPTIVE_PORTAL', /Sign this network in/],
        ['stranger', 'NOT_THE_RELAY', /relay\.rootKey/],
        ['busy', 'RELAY_FAILING', /tries again by itself/],
        ['silent', 'HTTP_SILENT', /does not answer/],
      ] as const
    ).entries()) {
      await answer(relay, 9001 + i, how);
      await tlsFront(site, 9101 + i, 9001 + i);
      found(t, await doctor({ url: `https://${NAME}:${9101 + i}` }), 'http', code, words);
    }
    const rootKey = 'A'.repeat(43);
    found(t, await doctor({ rootKey }), 'http', 'NOT_THE_RELAY', /root key this box knows/);
    await stop();
  });

  await t.test('clocks, and by how much they are wrong', async (t) => {
    const stop = await nameServer(site);
    for (const [clock, words] of [
      ['-3d', /3 days behind the relay/],
      ['+7h', /7 hours ahead of the relay/],
    ] as const) {
      const lines = await doctor({ clock });
      t.match(lines.http, { state: 'ok' });
      t.match(lines.clock, { state: 'failed', code: 'CLOCK_WRONG', text: words }, clock);
    }
    const lines = await doctor({ clock: '-40d' });
    found(t, lines, 'tls', 'TLS_DATE', /Set the clock/);
    t.match(lines.clock, { code: 'CLOCK_WRONG', text: /at least 30 days behind|at least 29 days behind/ });
    await stop();
  });

  await t.test('an outbound proxy', async (t) => {
    const stop = await nameServer(site);
    await relay.run(['nft', `add table inet t; add chain inet t in { type filter hook input priority 0; }`]);
    await relay.run(['nft', `add rule inet t in ip saddr ${box.address} drop`]);
    found(t, await doctor(), 'tcp', 'PORT_BLOCKED', /drops it/);

    const hosts = join(site.dir, 'hosts');
    writeFileSync(hosts, `127.0.0.1 localhost\n${relay.address} ${NAME}\n`);
    const proxyOn = async (port: number, ...options: string[]) => {
      const file = join(site.dir, `tinyproxy-${port}.conf`);
      const text = [`Port ${port}`, `Listen ${router.address}`, 'Timeout 30', 'MaxClients 20', ...options];
      writeFileSync(file, `${text.join('\n')}\n`);
      router.spawn(['sh', '-c', `mount --bind ${hosts} /etc/hosts && exec tinyproxy -d -c ${file}`]);
      await waitFor('the proxy', async () => (await router.run(['ss', '-ltn'])).includes(`:${port}`));
      return { proxy: `http://${router.address}:${port}` };
    };
    const open = await proxyOn(3128, 'ConnectPort 443');
    const good = await doctor({ relayKeys: open });
    t.match(good.tcp, { state: 'ok', text: /The proxy leads to port 443/ });
    t.match(good.http, { state: 'ok', text: /its root key stands behind it/ });
    found(
      t,
      await doctor({ relayKeys: await proxyOn(3129, 'ConnectPort 22') }),
      'tcp',
      'PROXY_REFUSED',
      /Allow CONNECT/,
    );

    const guarded = await proxyOn(3130, 'ConnectPort 443', 'BasicAuth clinic s3cret');
    found(t, await doctor({ relayKeys: guarded }), 'tcp', 'PROXY_LOGIN', /proxyCredentialsFile/);
    const credentials = join(site.dir, 'proxy-login');
    writeFileSync(credentials, 'clinic:s3cret\n', { mode: 0o600 });
    const signedIn = await doctor({ relayKeys: { ...guarded, proxyCredentialsFile: credentials } });
    t.match(signedIn.http, { state: 'ok' });
    t.notMatch(JSON.stringify(signedIn), /s3cret/);
    const nobody = { proxy: `http://${router.address}:3999` };
    found(t, await doctor({ relayKeys: nobody }), 'tcp', 'PROXY_UNREACHABLE', /Check relay\.proxy/);
    await relay.run(['nft', 'delete table inet t']);
    await stop();
  });

  await t.test('disks', async (t) => {
    const stop = await nameServer(site);
    const dataDir = join(site.dir, 'data');
    const small = await doctor({ prepare: `mount -t tmpfs -o size=16m t ${dataDir}` });
    t.match(small.disk, { state: 'failed', code: 'DISK_FULL', text: /are free under/ });
    const frozen = await doctor({ prepare: `mount -t tmpfs -o size=128m,ro t ${dataDir}` });
    t.match(frozen.disk, { state: 'failed', code: 'DISK_READ_ONLY', text: /EROFS/ });
    t.equal(frozen.http?.state, 'ok');
    await stop();
  });

  await t.test('cables and addresses', async (t) => {
    await box.run(['ip', 'route', 'del', 'default']);
    found(t, await doctor(), 'address', 'NO_ROUTE', /no gateway/);
    await box.run(['ip', 'addr', 'flush', 'dev', 'eth0']);
    found(t, await doctor(), 'address', 'NO_ADDRESS', /gives out addresses/);
    await box.run(['ip', 'addr', 'add', '169.254.7.7/16', 'dev', 'eth0']);
    found(t, await doctor(), 'address', 'NO_DHCP', /169\.254\.7\.7 because no DHCP server/);
    await box.run(['ip', 'link', 'set', 'eth0', 'down']);
    found(t, await doctor(), 'link', 'NO_CABLE', /Plug in the cable/);
  });
});

t.test('to a person it is one line a step, and the exit code says whether all is well', async (t) => {
  const dir = t.testdir({ data: {} });
  const config = join(dir, 'appliance.yaml');
  const relay = { url: 'http://127.0.0.1:9', rootKey: 'A'.repeat(43) };
  writeFileSync(config, JSON.stringify({ relay, dataDir: join(dir, 'data') }));
  const { runTool } = await import('@sitewarden/kit/exec');
  const node = findTool('node') ?? process.execPath;
  const { stdout, exitCode } = await runTool([node, ENTRIES.appliance, 'doctor', '--config', config]);
  t.equal(exitCode, 1);
  const lines = stdout.trim().split('\n');
  t.equal(lines.length, DOCTOR_STEPS.length + 1, 'and how the keys lie');
  t.match(lines[3], /^FAILED {2}tcp {6}Port 9 of 127\.0\.0\.1 is refused\./);

  writeFileSync(join(dir, 'data', 'uplink.json'), 'garbage');
  const again = await runTool([node, ENTRIES.appliance, 'doctor', '--config', config]);
  t.match(
    again.stdout.trim().split('\n').at(-1),
    /^FAILED {2}The check-in chain was damaged .* Have an admin release it/,
  );

  const key = join(dir, 'data', 'identity', 'dik.pem');
  mkdirSync(dirname(key), { mode: 0o700 });
  writeFileSync(key, '', { mode: 0o644 });
  const open = await runTool([node, ENTRIES.appliance, 'doctor', '--config', config]);
  t.match(
    open.stdout.trim().split('\n').at(-1),
    /^FAILED {2}Other accounts have rights to .*dik\.pem \(mode 0644\)\. Restart the box/,
  );
});
