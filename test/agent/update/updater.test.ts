import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { OrderState, Tier } from '@sitewarden/agent-proto/agent';
import { compareVersions, type InstallerFile, PIECE_BYTES } from '@sitewarden/agent-proto/installers';
import { sign } from '@sitewarden/agent-proto/keys';
import { createLogger } from '@sitewarden/kit/log';
import t, { type Test } from 'tap';
import { openIdentity } from '../../../agent/identity/index.ts';
import { createUpdater, type UpdaterOptions } from '../../../agent/update/index.ts';
import { fixtureKey } from '../../../scripts/fixtures/keys.ts';
import { makeAgent } from '../helpers/in-process-agent.ts';
import { startTestAppliance } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

const log = createLogger({ name: 'agent', level: 'silent' });
const PUBLISHER = fixtureKey(7);
const PROGRAM = `#!/bin/sh\ncase "$*" in *--version*) echo 2.0.0;; *) echo update-check passed;; esac\n#${'x'.repeat(1_500_000)}\n`;
const never = new AbortController().signal;

interface Offer {
  version?: string;
  content?: string;
  target?: string;
  /** What the box sends instead of the signed file. */
  sent?: (data: Buffer, offset: number) => Buffer;
  key?: ReturnType<typeof fixtureKey>;
}

async function scene(t: Test, more: Partial<UpdaterOptions> = {}) {
  const site = await startTestAppliance({});
  t.teardown(() => site.stop());
  const agent = await makeAgent(site);
  t.teardown(() => agent.remove());
  const { dataDir } = agent.config;
  const bin = join(dataDir, 'bin');
  mkdirSync(bin);
  const program = join(bin, 'agent');
  writeFileSync(program, 'old');
  const identity = await openIdentity(dataDir);
  const updater = createUpdater({
    ...{ dataDir, program, log, version: '1.0.0', migrations: 2, target: 'linux-x64', configPath: undefined },
    ...{ publisherKey: PUBLISHER.publicKey, isAllowed: true },
    connect: () => identity.connect(identity.applianceAddress),
    ...more,
  });
  const calls: { name: string; offset: number }[] = [];
  const offer = ({
    version = '2.0.0',
    content = PROGRAM,
    target = 'linux-x64',
    sent = (data) => data,
    key = PUBLISHER,
  }: Offer) => {
    const bytes = Buffer.from(content);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const file: InstallerFile = { target, file: 'agent-file', bytes: bytes.length, sha256 };
    const manifest = Buffer.from(JSON.stringify({ version, files: [file] }));
    const signature = Buffer.from(Buffer.from(sign(key.privateKey, manifest)).toString('base64'));
    site.rules.installers = (name, offset) => {
      calls.push({ name, offset });
      const whole = { 'manifest.json': manifest, 'manifest.json.sig': signature, 'agent-file': bytes }[name];
      if (whole === undefined) return { code: status.NOT_FOUND };
      const piece = Buffer.from(whole.subarray(offset, offset + PIECE_BYTES));
      return { data: name === 'agent-file' ? sent(piece, offset) : piece, totalBytes: whole.length };
    };
  };
  const update = (version?: string) => updater.update({ orderId: 'ord_1', version, isDryRun: false, signal: never });
  return { site, agent, dataDir, bin, program, calls, offer, update };
}

t.test('a file is fetched in pieces, tried, and put in place', async (t) => {
  const it = await scene(t);
  it.offer({});
  t.strictSame(await it.update(), { to: '2.0.0', isInPlace: true });
  t.equal(readFileSync(it.program, 'utf8'), PROGRAM);
  t.strictSame(readdirSync(it.bin).sort(), ['agent', 'agent.old']);
  t.ok(it.calls.filter(({ name }) => name === 'agent-file').length >= 3);
});

t.test('nothing the box sends is run unless the publisher signed it', async (t) => {
  const it = await scene(t);
  const flip = (data: Buffer): Buffer => {
    data[0]! ^= 1;
    return data;
  };
  for (const [name, code, offer] of [
    ['signed by another key', 'UPDATE_NOT_SIGNED', { key: fixtureKey(8) }],
    ['another file than was signed', 'UPDATE_FILE_WRONG', { sent: flip }],
    ['a shorter one', 'UPDATE_FILE_WRONG', { sent: (data: Buffer) => data.subarray(0, 0) }],
    ['a longer one', 'UPDATE_FILE_WRONG', { sent: (data: Buffer) => Buffer.concat([data, Buffer.from('x')]) }],
    ['pieces beyond their bound', 'UPDATE_DOWNLOAD_FAILED', { sent: () => Buffer.alloc(2 * 1024 * 1024) }],
    ['for another system', 'UPDATE_NO_INSTALLER', { target: 'win-x64' }],
    ['the same version', 'UPDATE_SAME_VERSION', { version: '1.0.0' }],
    ['an older version', 'UPDATE_NOT_NEWER', { version: '0.9.0' }],
    ['a version that cannot be compared', 'UPDATE_NOT_NEWER', { version: 'tomorrow' }],
    ['a program that says another version', 'UPDATE_CHECK_FAILED', { version: '3.0.0' }],
  ] as [string, string, Offer][]) {
    it.offer(offer);
    await t.rejects(it.update(), { code }, name);
    t.equal(readFileSync(it.program, 'utf8'), 'old', name);
    t.notOk(existsSync(join(it.dataDir, 'update.json')), name);
  }
  it.offer({});
  await t.rejects(it.update('1.5.0'), { code: 'UPDATE_VERSION_MISSING' });
  it.site.rules.installers = () => ({ code: status.NOT_FOUND });
  await t.rejects(it.update(), { code: 'UPDATE_NO_INSTALLER' });
});

t.test('an older version is taken when it is named', async (t) => {
  const it = await scene(t, { version: '3.0.0' });
  it.offer({});
  await t.rejects(it.update(), { code: 'UPDATE_NOT_NEWER' });
  t.match(await it.update('2.0.0'), { isInPlace: true });
});

t.test('what was cut is gone on with, and what does not fit its end is fetched anew', async (t) => {
  const it = await scene(t);
  it.offer({ sent: (data, offset) => (offset === 0 ? data : data.subarray(0, 0)) });
  await t.rejects(it.update());
  it.offer({});
  const sha = createHash('sha256').update(PROGRAM).digest('hex').slice(0, 16);
  const part = join(it.bin, `.agent.${sha}.part`);
  writeFileSync(part, PROGRAM.slice(0, 700_000), { mode: 0o755 });
  writeFileSync(join(it.bin, '.agent.ffffffffffffffff.part'), 'of another version');
  it.calls.length = 0;
  let modeSeen = 0;
  it.offer({
    sent(data) {
      modeSeen = statSync(part).mode & 0o777;
      return data;
    },
  });
  await it.update();
  t.equal(it.calls.find(({ name }) => name === 'agent-file')?.offset, 700_000);
  t.equal(modeSeen, 0o700, 'nobody else can read or run it meanwhile');
  t.strictSame(readdirSync(it.bin).sort(), ['agent', 'agent.old']);

  const other = await scene(t);
  other.offer({});
  writeFileSync(join(other.bin, `.agent.${sha}.part`), 'y'.repeat(700_000));
  await other.update();
  t.equal(readFileSync(other.program, 'utf8'), PROGRAM);
  t.ok(other.calls.filter(({ name, offset }) => name === 'agent-file' && offset === 0).length === 1);
});

t.test('a box that is away for a moment is asked again', async (t) => {
  const it = await scene(t);
  it.offer({});
  const { installers } = it.site.rules;
  let refusals = 0;
  it.site.rules.installers = (name, offset) => {
    if (name !== 'agent-file' || refusals >= 3) return installers(name, offset);
    refusals += 1;
    return { code: status.RESOURCE_EXHAUSTED, metadata: { 'retry-delay-ms': '50' } };
  };
  t.match(await it.update(), { isInPlace: true });
  t.equal(refusals, 3);
});

t.test('without room, without a key, from sources and where it is not allowed nothing is fetched', async (t) => {
  for (const [code, more] of [
    ['UPDATE_NO_ROOM', { freeBytes: async () => 33 * 1024 * 1024 }],
    ['UPDATE_NOT_POSSIBLE', { publisherKey: undefined }],
    ['UPDATE_NOT_POSSIBLE', { program: undefined }],
    ['UPDATE_NOT_POSSIBLE', { target: undefined }],
    ['UPDATE_NOT_POSSIBLE', { isAllowed: false }],
  ] as [string, Partial<UpdaterOptions>][]) {
    const it = await scene(t, more);
    it.offer({});
    await t.rejects(it.update(), { code }, Object.keys(more).join());
    t.notOk(it.calls.some(({ name }) => name === 'agent-file'));
    t.strictSame(readdirSync(it.bin), ['agent']);
  }
});

t.test('an agent that runs from sources says that it cannot be updated', async (t) => {
  const site = await startTestAppliance({ tier: Tier.TIER_SELF_HEAL, heartbeatIntervalMs: 1000 });
  t.teardown(() => site.stop());
  const agent = await makeAgent(site);
  t.teardown(() => agent.remove());
  const daemon = agent.start();
  await until('a session', () => site.agent.heartbeats.length > 0);
  const { orderId } = site.order({ action: 'update_agent' });
  const of = () => site.agent.receipts.filter((receipt) => receipt.orderId === orderId);
  await until('both receipts', () => of().length === 2);
  t.match(of()[1], { state: OrderState.ORDER_STATE_REFUSED, code: 'UPDATE_NOT_POSSIBLE' });
  t.match(of()[1]?.detail, /^It is not the one-file program\. This agent cannot replace itself\. Install/);
  await daemon.stop();
});

t.test('versions are ordered as semver.org has it', async (t) => {
  const rising = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.9',
    '1.0.10',
    '1.2.0',
    '10.0.0',
  ];
  for (const [at, one] of rising.entries()) {
    for (const [other, two] of rising.entries())
      t.equal(Math.sign(compareVersions(one, two)!), Math.sign(at - other), `${one} ${two}`);
  }
  t.equal(compareVersions('1.0.0+a', '1.0.0+b'), 0);
  t.equal(compareVersions('1.0', '1.0.0'), undefined);
});
