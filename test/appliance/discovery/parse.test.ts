import type { NetworkInterfaceInfo } from 'node:os';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import t from 'tap';
import { observeMdns } from '../../../appliance/discovery/mdns.ts';
import { observeNeighbours, parseIpNeigh, parseProcArp } from '../../../appliance/discovery/neighbours.ts';
import { ownNetworks } from '../../../appliance/discovery/networks.ts';

const v4 = (address: string, prefix: number, internal = false): NetworkInterfaceInfo => ({
  address,
  netmask: '',
  family: 'IPv4',
  mac: '',
  internal,
  cidr: `${address}/${prefix}`,
});
const networks = ownNetworks(undefined, { lan0: [v4('192.168.7.1', 24)] });
const NOW = 1_700_000_000_000;
const at = { networks, nowMs: NOW };

t.test('own networks are private, physical and not loopback', async (t) => {
  const table = {
    lo: [v4('127.0.0.1', 8, true)],
    eth0: [v4('10.20.30.40', 20), v4('203.0.113.5', 24)],
    docker0: [v4('172.17.0.1', 16)],
    'br-0123456789ab': [v4('172.18.0.1', 16)],
    wg0: [v4('10.99.0.1', 24)],
    br0: [v4('192.168.1.130', 25)],
    p2p: [v4('10.0.0.1', 32)],
  };
  t.strictSame(
    ownNetworks(undefined, table).map(({ interfaceName, cidr }) => [interfaceName, cidr]),
    [
      ['eth0', '10.20.16.0/20'],
      ['br0', '192.168.1.128/25'],
      ['p2p', '10.0.0.1/32'],
    ],
  );
  t.strictSame(
    ownNetworks(['docker0', 'eth0'], table).map(({ cidr }) => cidr),
    ['10.20.16.0/20', '203.0.113.0/24', '172.17.0.0/16'],
  );
});

t.test('the neighbour table is read: proven entries only, with their age', async (t) => {
  const text = JSON.stringify([
    { dst: '192.168.7.10', dev: 'lan0', lladdr: '02:00:00:00:00:0A', confirmed: 7, state: ['REACHABLE'] },
    { dst: '192.168.7.11', dev: 'lan0', state: ['FAILED'] },
    { dst: '192.168.7.12', dev: 'lan0', lladdr: '02:00:00:00:00:0c', state: ['INCOMPLETE'] },
    { dst: 'fe80::2', dev: 'lan0', lladdr: '02:00:00:00:00:0b', state: ['STALE'] },
    { dst: '192.168.7.255', dev: 'lan0', lladdr: 'ff:ff:ff:ff:ff:ff', state: ['STALE'] },
  ]);
  t.strictSame(parseIpNeigh(text), [
    { interfaceName: 'lan0', address: '192.168.7.10', mac: '02:00:00:00:00:0a', ageMs: 7000 },
    { interfaceName: 'lan0', address: 'fe80::2', mac: '02:00:00:00:00:0b', ageMs: 0 },
  ]);
});

t.test('without the tool, /proc/net/arp is read', async (t) => {
  const text = [
    'IP address       HW type     Flags       HW address            Mask     Device',
    '192.168.7.10     0x1         0x2         02:00:00:00:00:0a     *        lan0',
    '192.168.7.11     0x1         0x0         00:00:00:00:00:00     *        lan0',
    '',
  ].join('\n');
  t.strictSame(parseProcArp(text), [
    { interfaceName: 'lan0', address: '192.168.7.10', mac: '02:00:00:00:00:0a', ageMs: 0 },
  ]);
});

t.test('neighbours elsewhere are nobody of the site', async (t) => {
  const mac = '02:00:00:00:00:0a';
  const entries = [
    { interfaceName: 'lan0', address: '192.168.7.10', mac, ageMs: 5000 },
    { interfaceName: 'lan0', address: 'fe80::2', mac, ageMs: 0 },
    { interfaceName: 'lan0', address: '10.0.0.1', mac, ageMs: 0 },
    { interfaceName: 'wan0', address: '192.168.7.10', mac, ageMs: 0 },
  ];
  t.strictSame(
    observeNeighbours(entries, networks, NOW).map(({ address, network, seenAtMs }) => [address, network, seenAtMs]),
    [
      ['192.168.7.10', '192.168.7.0/24', NOW - 5000],
      ['fe80::2', '192.168.7.0/24', NOW],
    ],
  );
});

t.test('a sender is known by the name of its own address and by the services it offers', async (t) => {
  const packet = dnsPacket.decode(
    dnsPacket.encode({
      type: 'response',
      answers: [
        { type: 'PTR', name: '_ipp._tcp.local', data: 'Front desk._ipp._tcp.local', ttl: 120 },
        { type: 'PTR', name: '_services._dns-sd._udp.local', data: '_http._tcp.local', ttl: 120 },
        { type: 'PTR', name: '_gone._tcp.local', data: 'x._gone._tcp.local', ttl: 0 },
      ],
      additionals: [
        { type: 'A', name: 'someone-else.local', data: '192.168.7.66', ttl: 120 },
        { type: 'A', name: 'Printer-2.local', data: '192.168.7.50', ttl: 120 },
        { type: 'SRV', name: 'x._scanner._tcp.local', data: { port: 1, target: 'Printer-2.local' }, ttl: 120 },
      ],
    }),
  );
  t.match(observeMdns(packet, '192.168.7.50', at), {
    probe: 'mdns',
    network: '192.168.7.0/24',
    mac: null,
    address: '192.168.7.50',
    name: 'printer-2',
    services: ['_http._tcp', '_ipp._tcp', '_scanner._tcp'],
    seenAtMs: NOW,
  });
});

t.test('a question shows only that its sender is there; strangers and the box itself are ignored', async (t) => {
  const question = {
    type: 'query',
    questions: [],
    answers: [{ type: 'PTR', name: '_ipp._tcp.local', data: '', ttl: 1 }],
  };
  t.match(observeMdns(question, '192.168.7.50', at), { name: null, services: [] });
  t.equal(observeMdns(question, '8.8.8.8', at), undefined);
  t.equal(observeMdns(question, '192.168.7.1', at), undefined);
});

t.test('a name is made fit to be shown', async (t) => {
  const named = (name: string) =>
    observeMdns({ type: 'response', answers: [{ type: 'A', name, data: '192.168.7.5', ttl: 9 }] }, '192.168.7.5', at);
  t.equal(named('<script>alert(1)</script>\u202e\n\0.local')?.name, 'scriptalert1script');
  t.equal(named(`${'x'.repeat(300)}.local`)?.name?.length, 63);
  t.equal(named('not-local.example')?.name, null);
  t.equal(named('\ud800.local')?.name, null);
});

t.test('no packet makes it throw, hang or grow beyond its bounds', async (t) => {
  const junk = fc.uint8Array({ maxLength: 600 }).map((bytes) => {
    try {
      return dnsPacket.decode(Buffer.from(bytes)) as object;
    } catch {
      return { type: 'response', answers: bytes };
    }
  });
  const strange = fc.record({
    type: fc.constantFrom('response', 'query', 7),
    answers: fc.anything(),
    additionals: fc.array(
      fc.oneof(
        fc.anything(),
        fc.record({
          name: fc.string(),
          type: fc.constantFrom('A', 'PTR', 'SRV'),
          ttl: fc.integer(),
          data: fc.anything(),
        }),
      ),
    ),
  });
  fc.assert(
    fc.property(fc.oneof(junk, strange), (packet) => {
      const seen = observeMdns(packet, '192.168.7.5', at);
      return seen !== undefined && seen.services.length <= 32 && (seen.name?.length ?? 0) <= 63;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test('no table makes the parsers throw', async (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.array(fc.anything()).map((value) => JSON.stringify(value)),
      ),
      (text) => {
        parseIpNeigh(text);
        parseProcArp(text);
      },
    ),
    { numRuns: 1000 },
  );
  t.pass();
});

t.test('compressed names that point in circles are refused quickly', async (t) => {
  const header = Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  for (const name of [
    [0xc0, 12],
    [0xc0, 14, 0xc0, 12],
    [1, 97, 0xc0, 12],
  ]) {
    const beganMs = performance.now();
    t.throws(() => dnsPacket.decode(Buffer.concat([header, Buffer.from([...name, 0, 12, 0, 1, 0, 0, 0, 9, 0, 0])])));
    t.ok(performance.now() - beganMs < 1000);
  }
});
