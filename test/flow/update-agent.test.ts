import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sign } from '@sitewarden/agent-proto/keys';
import t, { type Test } from 'tap';
import { fixtureKey } from '../../scripts/fixtures/keys.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { reportsOf } from '../helpers/agent-reports.ts';
import { packedAgent } from '../helpers/packed-agent.ts';
import { launch } from '../helpers/packed-life.ts';
import { type Supervisor, supervise } from '../helpers/supervisor.ts';
import { type System, startSystem } from '../helpers/system.ts';

const TARGET = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
const FILE = `sitewarden-agent-${TARGET}`;
const PUBLISHER = fixtureKey(7);
const STRANGER = fixtureKey(8);

interface Order {
  id: string;
  state: string;
  code: string | null;
  detail: string;
  before: object | null;
  after: object | null;
}

interface Scene {
  readonly system: System;
  readonly program: string;
  readonly dataDir: string;
  readonly agentId: string;
  readonly service: Supervisor;
  /** Lays installers into the folder of the box. */
  offer(version: string, file: Buffer | string, change?: { key?: typeof PUBLISHER; tamper?: boolean }): void;
  order(params?: object): Promise<Order>;
  ended(order: Order, withinMs?: number): Promise<Order>;
  version(): Promise<string>;
}

async function scene(t: Test, built: string, connectWithinMs = 15_000): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-update-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const installers = join(dir, 'installers');
  mkdirSync(installers);
  const offer: Scene['offer'] = (version, file, { key = PUBLISHER, tamper = false } = {}) => {
    const bytes = typeof file === 'string' ? readFileSync(file) : Buffer.from(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const manifest = Buffer.from(
      JSON.stringify({ version, files: [{ target: TARGET, file: FILE, bytes: bytes.length, sha256 }] }),
    );
    if (tamper) bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(installers, FILE), bytes);
    writeFileSync(join(installers, 'manifest.json'), manifest);
    writeFileSync(
      join(installers, 'manifest.json.sig'),
      Buffer.from(sign(key.privateKey, manifest)).toString('base64'),
    );
  };
  offer('0.1.0', built);
  const system = await startSystem({ requiredServices: ['sw-none'], installers: { dir: installers } });
  t.teardown(() => system.close());
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  const program = join(bin, 'sitewarden-agent');
  copyFileSync(built, program);
  chmodSync(program, 0o755);
  const dataDir = join(dir, 'data');
  const config = join(dir, 'agent.yaml');
  const own = { overrides: { checkIntervalMs: 1000, heartbeatIntervalMs: 1000 }, updates: { connectWithinMs } };
  writeFileSync(config, JSON.stringify({ dataDir, ...own }));
  const env = { PATH: process.env.PATH ?? '' };
  const agent = (...args: string[]) => launch([program, '--config', config, ...args], env, dir);
  const enrolled = await agent('enroll', '--token-file', await system.appliance.makeToken()).ended;
  const agentId = /agt_\w+/.exec(enrolled.stdout)?.[0] ?? '';
  const service = supervise({ argv: [program, '--config', config, 'run'], env, dir });
  t.teardown(() => service.stop());
  t.teardown(() => {
    if (!t.passing()) process.stderr.write(service.output().split('\n').slice(-60).join('\n'));
  });
  await waitFor('a session', () => service.output().includes('connected to the appliance'), 30_000);
  const { staff, siteId } = system;
  return {
    ...{ system, program, dataDir, agentId, service, offer },
    async order(params = {}) {
      // The relay knows the workstation only some check-ins after it enrolled.
      return waitFor(
        'the order to be taken',
        () =>
          staff
            .call<Order>('POST', `/api/sites/${siteId}/orders`, { action: 'update_agent', agentId, params })
            .catch(() => undefined),
        30_000,
      );
    },
    ended: (order, withinMs = 60_000) =>
      waitFor(
        'the order to end',
        async () => {
          const { orders } = await staff.call<{ orders: Order[] }>('GET', `/api/sites/${siteId}/orders`);
          const found = orders.find(({ id }) => id === order.id);
          return found !== undefined && !['queued', 'delivered', 'started'].includes(found.state) ? found : undefined;
        },
        withinMs,
        200,
      ),
    version: async () => (await agent('--version').ended).stdout.trim(),
  };
}

const own = { publisherKey: PUBLISHER.publicKey };

t.test('an agent is replaced by a newer one: identity, queue and numbers stay, and the new one answers', async (t) => {
  const built = await packedAgent(t, TARGET, { name: 'signed', ...own });
  const next = await packedAgent(t, TARGET, { name: 'next', version: '0.2.0', ...own });
  if (built === undefined || next === undefined) return;
  const it = await scene(t, built);
  it.offer('0.2.0', next);
  const dry = await it.ended(await it.order({ dry_run: true }));
  t.match(dry, { state: 'done', detail: /Dry run.*0\.1\.0 by 0\.2\.0/ });
  t.equal(await it.version(), '0.1.0');

  const done = await it.ended(await it.order());
  t.match(done, { state: 'done', code: null, before: { agent_version: '0.1.0' }, after: { agent_version: '0.2.0' } });
  t.equal(await it.version(), '0.2.0');
  await waitFor('the service to run by itself', () => it.service.ends.length === 1, 30_000);
  t.strictSame(it.service.ends, [5]);
  await waitFor('its session', () => it.service.now.output().includes('connected to the appliance'), 30_000);
  t.ok(existsSync(`${it.program}.old`));
  t.notOk(existsSync(join(it.dataDir, 'update.json')));

  const kept = () => reportsOf(join(it.system.base, 'appliance'), it.agentId);
  const before = kept().length;
  await waitFor('reports of the new one', () => kept().length > before + 2, 30_000);
  t.strictSame(
    kept().map(({ seq }) => seq),
    kept().map((_, index) => index + 1),
    'no number is missing and none twice',
  );

  const same = await it.ended(await it.order());
  t.match(same, { state: 'refused', code: 'UPDATE_SAME_VERSION' });
});

const script = (text: string): Buffer => Buffer.from(`#!/bin/sh\ncase "$*" in\n${text}\nesac\n`);

t.test('what is not right stays out, and what does not run is put back: the old agent works on', async (t) => {
  const built = await packedAgent(t, TARGET, { name: 'signed', ...own });
  if (built === undefined) return;
  const it = await scene(t, built, 2000);
  const asked = async (params?: object) => it.ended(await it.order(params));
  const good = script('*--version*) echo 0.3.0;; *update-check*) echo update-check passed;;\n*) exit 3;;');

  it.offer('0.3.0', good, { key: STRANGER });
  t.match(await asked(), { state: 'refused', code: 'UPDATE_NOT_SIGNED', before: { agent_version: '0.1.0' } });
  it.offer('0.3.0', good, { tamper: true });
  t.match(await asked(), { state: 'failed', code: 'UPDATE_DOWNLOAD_FAILED' });
  it.offer('0.0.9', good);
  t.match(await asked(), { state: 'refused', code: 'UPDATE_NOT_NEWER' });
  it.offer('0.3.0', script('*) exit 1;;'));
  t.match(await asked(), { state: 'failed', code: 'UPDATE_CHECK_FAILED', detail: /asked for its version/i });
  it.offer('0.3.0', script('*--version*) echo 0.3.0;; *) exit 1;;'));
  t.match(await asked(), { state: 'failed', code: 'UPDATE_CHECK_FAILED', detail: /trial ended with 1/ });
  it.offer('0.3.1', good);
  t.match(await asked({ version: '0.3.0' }), { state: 'refused', code: 'UPDATE_VERSION_MISSING' });
  t.match(await asked(), { state: 'failed', code: 'UPDATE_CHECK_FAILED' }, 'it says another version than was signed');
  t.strictSame(it.service.ends, [], 'it never stopped');

  it.offer('0.3.0', good);
  t.match(await asked(), {
    ...{ state: 'failed', code: 'UPDATE_ROLLED_BACK', detail: /did not connect/ },
    ...{ before: { agent_version: '0.1.0' }, after: { agent_version: '0.1.0' } },
  });
  t.equal(await it.version(), '0.1.0');
  t.strictSame(it.service.ends, [5]);
  it.offer(
    '0.3.0',
    script('*--version*) echo 0.3.0;; *update-check*) echo update-check passed;;\n*) exec sleep 600;;'),
  );
  t.match(await asked(), { state: 'failed', code: 'UPDATE_ROLLED_BACK' }, 'also one that only hangs');
  t.equal(await it.version(), '0.1.0');
  const kept = reportsOf(join(it.system.base, 'appliance'), it.agentId);
  t.strictSame(
    kept.map(({ seq }) => seq),
    kept.map((_, index) => index + 1),
    'no report is missing and none twice',
  );
});

t.test('kill -9 in the middle leaves the old agent or the new one running, and one answer to each order', async (t) => {
  const built = await packedAgent(t, TARGET, { name: 'signed', ...own });
  const next = await packedAgent(t, TARGET, { name: 'next', version: '0.2.0', ...own });
  if (built === undefined || next === undefined) return;
  const it = await scene(t, built);
  it.offer('0.2.0', next);
  const part = () => readdirSync(join(it.program, '..')).find((name) => name.endsWith('.part'));
  const partBytes = () => statSync(join(it.program, '..', part() ?? 'none'), { throwIfNoEntry: false })?.size ?? 0;
  const kill = async () => {
    const before = it.service.ends.length;
    it.service.now.child.kill('SIGKILL');
    await waitFor('its end', () => it.service.ends.length > before, 10_000, 20);
  };

  const first = await it.order();
  await waitFor('half of the download', () => partBytes() > 20 * 1024 * 1024, 60_000, 20);
  await kill();
  const left = partBytes();
  t.match(await it.ended(first), { state: 'failed', code: 'UPDATE_STOPPED' });
  t.equal(await it.version(), '0.1.0');

  const second = await it.order();
  await waitFor('the trial', () => readdirSync(it.dataDir).some((name) => name.startsWith('update-check-')), 60_000, 5);
  t.ok(partBytes() > left, 'the download went on where it was cut');
  await kill();
  t.match(await it.ended(second), { state: 'failed', code: 'UPDATE_STOPPED' });
  t.equal(await it.version(), '0.1.0');

  const third = await it.order();
  await waitFor('the journal', () => existsSync(join(it.dataDir, 'update.json')), 60_000, 1);
  await kill();
  const end = await it.ended(third);
  const isNew = (await it.version()) === '0.2.0';
  t.match(end, isNew ? { state: 'done', code: null } : { state: 'failed', code: 'UPDATE_STOPPED' });

  if (!isNew) {
    const fourth = await it.order();
    const inode = statSync(it.program).ino;
    await waitFor('the new one in place', () => statSync(it.program).ino !== inode, 60_000, 5);
    await kill();
    t.match(await it.ended(fourth), { state: 'done', after: { agent_version: '0.2.0' } });
  }
  await waitFor('the new one at work', () => it.service.now.output().includes('connected to the appliance'), 60_000);
  t.equal(await it.version(), '0.2.0');
  const kept = reportsOf(join(it.system.base, 'appliance'), it.agentId);
  t.strictSame(
    kept.map(({ seq }) => seq),
    kept.map((_, index) => index + 1),
    'no report is missing and none twice',
  );
});
