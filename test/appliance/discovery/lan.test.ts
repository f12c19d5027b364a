import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { createDiscovery } from '../../../appliance/discovery/index.ts';
import type { DeviceRecord } from '../../../appliance/store/devices.ts';
import { devices } from '../../../appliance/store/index.ts';
import { applianceContext, eventually } from '../../helpers/appliance-context.ts';
import { makeLan } from '../../helpers/lan.ts';
import { skipWithout } from '../../helpers/needs.ts';

const TIMEOUT_MS = 60_000;

t.test('on a real LAN a workstation and a printer are found without a question being asked', async (t) => {
  if (skipWithout(t, { root: true, tools: ['ip', 'avahi-daemon', 'mount', 'bash'] })) return;
  const lan = await makeLan(t, ['box', 'desk', 'printer']);
  const dir = t.testdir();

  const box = lan.box.spawn([
    process.execPath,
    join(import.meta.dirname, '../../helpers/discovery-watch.ts'),
    join(dir, 'data'),
  ]);
  const errors: string[] = [];
  box.stderr?.on('data', (chunk) => errors.push(String(chunk)));
  let listed: DeviceRecord[] = [];
  createInterface({ input: box.stdout! }).on('line', (line) => {
    listed = JSON.parse(line);
  });
  const found = (what: string, is: (device: DeviceRecord) => boolean) =>
    eventually(what, () => listed.find(is), TIMEOUT_MS).catch((error: Error) => {
      throw new Error(`${error.message}: ${errors.join('')}`);
    });

  // Avahi says its piece a few times and is silent then: the box must have joined the group before.
  const MDNS_GROUP = 'FB0000E0';
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while (!(await lan.box.run(['cat', '/proc/net/igmp'])).includes(MDNS_GROUP)) {
    if (performance.now() > deadlineMs) throw new Error(`the box does not listen: ${errors.join('')}`);
  }

  // Avahi reads its services from /etc and writes its pid to /run: both are its own here.
  mkdirSync(join(dir, 'avahi', 'services'), { recursive: true });
  writeFileSync(
    join(dir, 'avahi', 'avahi-daemon.conf'),
    '[server]\nhost-name=lab-printer\nuse-ipv6=no\nenable-dbus=no\nallow-interfaces=eth0\n[publish]\npublish-workstation=no\n',
  );
  writeFileSync(
    join(dir, 'avahi', 'services', 'ipp.service'),
    '<service-group><name>Lab</name><service><type>_ipp._tcp</type><port>631</port></service></service-group>',
  );
  const start = `mount --bind ${dir}/avahi /etc/avahi && mount -t tmpfs none /run && mkdir /run/avahi-daemon &&
    exec avahi-daemon --no-drop-root --no-chroot --no-rlimits`;
  const avahi = lan.printer.spawn(['bash', '-c', start]);
  avahi.stderr?.on('data', (chunk) => errors.push(String(chunk)));

  // Noise on the group must not end the listening.
  for (const size of [1, 12, 40, 300, 1400]) {
    await lan.desk.run(['bash', '-c', `head -c ${size} /dev/urandom > /dev/udp/224.0.0.251/5353`]);
  }
  // A connection that is refused: enough for the kernel of the box to learn who asked.
  await lan.desk.run(['bash', '-c', `exec 3<>/dev/tcp/${lan.box.address}/9`], { mayFail: true });

  const network = '10.77.0.0/24';
  const desk = await found('the workstation is seen', ({ mac }) => mac === lan.desk.mac);
  t.match(desk, { network, probes: ['neighbour'] });
  t.ok(desk.addresses.includes(lan.desk.address));
  const isPrinter = ({ name, services }: DeviceRecord) => name === 'lab-printer' && services.length > 0;
  const printer = await found('the printer is heard', isPrinter);
  t.match(printer, { network, services: ['_ipp._tcp'] });
  t.ok(printer.addresses.includes(lan.printer.address));
  t.ok(printer.probes.includes('mdns'));
  t.notOk(
    listed.some(({ addresses }) => addresses.includes(lan.box.address)),
    'the box itself is no device',
  );

  // The printer now talks to the box: its row gets a MAC and stays one row.
  await lan.printer.run(['bash', '-c', `exec 3<>/dev/tcp/${lan.box.address}/9`], { mayFail: true });
  await found('the MAC of the printer is learnt', ({ mac, name }) => mac === lan.printer.mac && name !== null);
  t.match(
    listed.filter(({ addresses }) => addresses.includes(lan.printer.address)),
    [{ id: printer.id, mac: lan.printer.mac, name: 'lab-printer' }],
  );
});

t.test('switched off, it listens to nothing and writes nothing', async (t) => {
  const ctx = applianceContext(t, 'discovery: { enabled: false }\n');
  const discovery = createDiscovery(ctx);
  discovery.start();
  await discovery.stop();
  t.strictSame(devices.list(ctx.db), []);
});
