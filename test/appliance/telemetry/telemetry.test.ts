import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { compile, FactsObject } from '@sitewarden/agent-proto/http';
import t from 'tap';
import { isClockSynced, parseNtpSynchronized } from '../../../appliance/telemetry/clock-quality.ts';
import { wholeFacts } from '../../../appliance/telemetry/host-facts.ts';
import { createTelemetry, diskSpace } from '../../../appliance/telemetry/index.ts';
import { within } from '../../../appliance/telemetry/within.ts';

function telemetryOf(dataDir: string) {
  let monotonicMs = 0;
  const clock = { nowMs: () => 1_000_000 + monotonicMs, monotonicMs: () => monotonicMs };
  return { telemetry: createTelemetry({ clock, config: { dataDir } }), move: (ms: number) => (monotonicMs += ms) };
}

t.test('a snapshot holds whole numbers and short texts that fit the check-in', async (t) => {
  const { telemetry } = telemetryOf(t.testdir());
  const { facts, disk } = await telemetry.snapshot();
  const isFacts = compile(FactsObject);
  t.match(isFacts(facts), { ok: true });
  for (const name of ['cpu_percent', 'memory_total_bytes', 'uptime_s', 'processes', 'root_total_bytes']) {
    t.type(facts[name], 'number', name);
  }
  t.ok((facts.memory_used_bytes as number) < (facts.memory_total_bytes as number));
  t.ok(disk.freeBytes > 0 && disk.freeBytes <= disk.totalBytes);
});

t.test('a snapshot is taken again after 15 s, and once for all who ask meanwhile', async (t) => {
  const { telemetry, move } = telemetryOf(t.testdir());
  const first = telemetry.snapshot();
  t.equal(telemetry.snapshot(), first);
  move(15_000);
  t.equal(telemetry.snapshot(), first);
  move(1);
  const second = telemetry.snapshot();
  t.not(second, first);
  t.equal((await second).takenAtMs - (await first).takenAtMs, 15_001);
});

t.test('disk space is that of the file system, as far as it may be used', async (t) => {
  const dir = t.testdir();
  const stats = await statfs(dir);
  const space = await diskSpace(dir);
  t.equal(space.totalBytes, stats.blocks * stats.bsize);
  await t.rejects(diskSpace(join(dir, 'missing')), { code: 'ENOENT' });
});

t.test('a data folder that cannot be asked leaves zeros, not a failure', async (t) => {
  const { telemetry } = telemetryOf(join(t.testdir(), 'missing'));
  t.match((await telemetry.snapshot()).disk, { totalBytes: 0, freeBytes: 0 });
});

t.test('numbers are rounded, and what is no number is left out', async (t) => {
  t.strictSame(
    wholeFacts({ a: 1.5, b: Number.NaN, c: undefined, d: 'x', e: ' ', f: Number.POSITIVE_INFINITY, g: 2 ** 60 }),
    { a: 2, d: 'x' },
  );
});

t.test('a sensor that hangs or fails is given up', async (t) => {
  t.equal(await within(new Promise<number>(() => {}), 5), undefined);
  t.equal(await within(Promise.reject(new Error('no sensor')), 5000), undefined);
  t.equal(await within(Promise.resolve(3), 5000), 3);
});

t.test('the clock counts as synchronised only when the system says so', async (t) => {
  t.equal(parseNtpSynchronized('NTPSynchronized=yes\n'), true);
  t.equal(parseNtpSynchronized('NTPSynchronized=no\n'), false);
  t.equal(parseNtpSynchronized(''), false);
  const dir = t.testdir();
  const path = process.env.PATH;
  t.teardown(() => {
    process.env.PATH = path;
  });
  process.env.PATH = `${dir}${delimiter}${path}`;
  mkdirSync(dir, { recursive: true });
  for (const [answer, expected] of [
    ['yes', true],
    ['no', false],
  ] as const) {
    writeFileSync(join(dir, 'timedatectl'), `#!/bin/sh\necho NTPSynchronized=${answer}\n`);
    chmodSync(join(dir, 'timedatectl'), 0o755);
    t.equal(await isClockSynced(), expected);
  }
});
