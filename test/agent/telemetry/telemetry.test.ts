import { totalmem } from 'node:os';
import { AGENT_LIMITS, encodeFacts, Heartbeat } from '@sitewarden/agent-proto/agent';
import t from 'tap';
import {
  boundFacts,
  createTelemetryMeter,
  otherVolumes,
  parseOsRelease,
  readHostInfo,
} from '../../../agent/telemetry/index.ts';

t.test('this machine is measured in whole numbers within its own bounds', async (t) => {
  const meter = createTelemetryMeter();
  const facts = await meter.measure();
  const number = (name: string) => facts[name] as number;
  for (const name of ['cpu_count', 'memory_total_bytes', 'memory_used_bytes', 'uptime_s', 'process_count']) {
    t.ok(Number.isSafeInteger(number(name)) && number(name) > 0, name);
  }
  t.equal(facts.memory_total_bytes, totalmem());
  t.ok(number('memory_used_bytes') < number('memory_total_bytes'));
  t.ok(number('disk_used_bytes') <= number('disk_total_bytes') && number('disk_total_bytes') > 0);
  const busyUntil = performance.now() + 50;
  while (performance.now() < busyUntil);
  const { cpu_percent: percent } = (await meter.measure()) as { cpu_percent: number };
  t.ok(percent >= 0 && percent <= 100, `${percent} %`);
});

t.test('each volume is listed once, where all of it is mounted', async (t) => {
  const text = [
    '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
    '40 27 254:0 /run/netns /run/netns rw shared:5 - ext4 /dev/vda rw',
    '41 27 254:16 /sub /a rw - ext4 /dev/vdb rw',
    '42 27 254:16 / /srv/my\\040data rw master:1 - ext4 /dev/vdb rw',
    '43 27 254:16 / /srv/my\\040data/again/deeper rw - ext4 /dev/vdb rw',
    '44 27 254:32 /deep/hosts /etc/hosts rw - ext4 /dev/vdc rw',
    '45 27 254:32 /deep /mnt rw - ext4 /dev/vdc rw',
    '46 27 0:55 / /net rw - nfs4 server:/export rw',
    '47 27 0:56 / /tmp rw - tmpfs tmpfs rw',
    '',
  ].join('\n');
  t.strictSame(otherVolumes(text), ['/srv/my data', '/mnt']);
  t.strictSame(otherVolumes(''), []);
});

t.test('a heartbeat of this machine is within the limits of the contract', async (t) => {
  const facts = await createTelemetryMeter().measure();
  t.ok(Object.keys(facts).length <= AGENT_LIMITS.maxFactsPerResult);
  for (const name of Object.keys(facts)) t.match(name, /^[a-z][a-z0-9_]{0,63}$/);
  const bytes = Heartbeat.encode({ sentAtMs: 1, uptimeS: 1, queueDepth: 0, telemetry: encodeFacts(facts) }).finish();
  t.ok(bytes.length < 16_384, `${bytes.length} bytes`);
});

t.test('the name of the system comes from os-release, with or without quotes', async (t) => {
  t.equal(
    parseOsRelease('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'),
    'Debian GNU/Linux 12 (bookworm)',
  );
  t.equal(parseOsRelease("PRETTY_NAME='Alpine'\n"), 'Alpine');
  t.equal(parseOsRelease('PRETTY_NAME=Void\n'), 'Void');
  t.equal(parseOsRelease('NAME=x\nPRETTY_NAME=""\n'), undefined);
  t.match(readHostInfo('1.2.3'), { agentVersion: '1.2.3', osFamily: /^(linux|windows|macos)$/, hostname: /./ });
});

t.test('texts and lists are cut to what the appliance takes', async (t) => {
  const mount = `/${'deep/'.repeat(1000)}`;
  const facts = boundFacts({ disks: [...Array(100).keys()].map((n) => `${mount}${n} 1 2`), name: mount, count: 3 });
  t.equal((facts.disks as string[]).length, AGENT_LIMITS.maxFactListItems);
  for (const text of [...(facts.disks as string[]), facts.name as string])
    t.equal(text.length, AGENT_LIMITS.maxFactTextChars);
  t.equal(facts.count, 3);
  const many = boundFacts(Object.fromEntries([...Array(100).keys()].map((n) => [`fact_${n}`, n])));
  t.equal(Object.keys(many).length, AGENT_LIMITS.maxFactsPerResult);
});
