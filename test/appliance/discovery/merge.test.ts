import { compile, DeviceRow } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import fc from 'fast-check';
import t from 'tap';
import { MAX_DEVICES, merge, SEEN_EVERY_MS } from '../../../appliance/discovery/merge.ts';
import type { Observation } from '../../../appliance/discovery/types.ts';
import { type DeviceRecord, toRow } from '../../../appliance/store/devices.ts';

const NET = '192.168.7.0/24';
const MAC = '02:00:00:00:00:01';
const OTHER = '02:00:00:00:00:02';
const T0 = 1_000_000_000;

const seen = (change: Partial<Observation> = {}): Observation => ({
  probe: 'neighbour',
  network: NET,
  mac: MAC,
  address: '192.168.7.10',
  name: null,
  services: [],
  seenAtMs: T0,
  ...change,
});
const mdns = (change: Partial<Observation> = {}): Observation =>
  seen({ probe: 'mdns', mac: null, name: 'printer', services: ['_ipp._tcp'], ...change });

/** Applies what merge says, as the stage does on rows. */
function apply(known: readonly DeviceRecord[], ...looks: Observation[][]): DeviceRecord[] {
  let devices = new Map(known.map((device) => [device.id, device]));
  for (const look of looks) {
    const { puts, removedIds } = merge([...devices.values()], look, () => newId('dev'));
    devices = new Map(devices);
    for (const id of removedIds) devices.delete(id);
    for (const device of puts) devices.set(device.id, device);
  }
  return [...devices.values()];
}

t.test('a MAC is one device, whatever addresses it has', async (t) => {
  const devices = apply([], [seen()], [seen({ address: '192.168.7.11' })], [seen({ address: 'fe80::1' })]);
  t.match(devices, [{ mac: MAC, addresses: ['fe80::1', '192.168.7.11', '192.168.7.10'], probes: ['neighbour'] }]);
  t.equal(devices.length, 1);
});

t.test('the same MAC on another network is another device', async (t) => {
  t.equal(apply([], [seen(), seen({ network: '10.0.0.0/8', address: '10.0.0.9' })]).length, 2);
});

t.test('what multicast DNS says joins the device that has the address', async (t) => {
  for (const looks of [[[seen()], [mdns()]], [[mdns()], [seen()]], [[mdns(), seen()]]]) {
    const devices = apply([], ...looks);
    t.equal(devices.length, 1);
    t.match(devices[0], { mac: MAC, name: 'printer', services: ['_ipp._tcp'], probes: ['mdns', 'neighbour'] });
  }
});

t.test('an address that moves to another MAC leaves the first device', async (t) => {
  const devices = apply([], [seen()], [seen({ mac: OTHER, seenAtMs: T0 + 1 })]);
  t.strictSame(
    devices.map(({ mac, addresses }) => ({ mac, addresses })),
    [
      { mac: MAC, addresses: [] },
      { mac: OTHER, addresses: ['192.168.7.10'] },
    ],
  );
});

t.test('a device known by nothing but an address becomes the one whose MAC takes the address', async (t) => {
  const devices = apply([], [seen({ address: '192.168.7.20' })], [mdns()], [seen()]);
  t.equal(devices.length, 1);
  t.match(devices[0], { mac: MAC, name: 'printer' });
});

t.test('nothing is written while nothing visible changes and it was seen less than 5 minutes ago', async (t) => {
  const known = apply([], [seen()]);
  const id = () => newId('dev');
  t.strictSame(merge(known, [seen({ seenAtMs: T0 + SEEN_EVERY_MS - 1 })], id).puts, []);
  t.match(merge(known, [seen({ seenAtMs: T0 + SEEN_EVERY_MS })], id).puts, [{ lastSeenMs: T0 + SEEN_EVERY_MS }]);
  t.equal(merge(known, [seen({ address: '192.168.7.99' })], id).puts.length, 1);
  t.strictSame(merge(known, [seen({ seenAtMs: T0 - 1 })], id).puts, []);
});

t.test('a router that answers for hundreds of addresses keeps the same few', async (t) => {
  const look = Array.from({ length: 200 }, (_, i) => seen({ address: `192.168.7.${i}` }));
  const known = apply([], look);
  t.equal(known[0]?.addresses.length, 16);
  t.strictSame(merge(known, [...look].reverse(), () => newId('dev')).puts, []);
});

t.test('there is room for 4096 devices, and known ones are still seen when it is full', async (t) => {
  const mac = (i: number) =>
    `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`;
  const many = Array.from({ length: MAX_DEVICES + 10 }, (_, i) =>
    seen({ mac: mac(i), address: `10.0.${i >> 8}.${i & 255}`, network: '10.0.0.0/8' }),
  );
  const first = merge([], many, () => newId('dev'));
  t.equal(first.puts.length, MAX_DEVICES);
  t.equal(first.refused, 10);
  const again = merge(
    first.puts,
    many.map((one) => ({ ...one, seenAtMs: T0 + SEEN_EVERY_MS })),
    () => newId('dev'),
  );
  t.equal(again.puts.length, MAX_DEVICES);
});

const observation: fc.Arbitrary<Observation> = fc.record({
  probe: fc.constantFrom('neighbour', 'mdns'),
  network: fc.constantFrom(NET, '10.0.0.0/8'),
  mac: fc.constantFrom(null, MAC, OTHER, '02:00:00:00:00:03'),
  address: fc.constantFrom('192.168.7.1', '192.168.7.2', '192.168.7.3', 'fe80::1'),
  name: fc.option(fc.string({ maxLength: 60 })),
  services: fc.array(fc.constantFrom('_a._tcp', '_b._udp', '_c._tcp')),
  seenAtMs: fc.nat({ max: 10_000_000 }),
});

t.test(
  'whatever is seen: one row a MAC and network, one holder an address, rows fit the schema of the relay',
  async (t) => {
    const isRow = compile(DeviceRow);
    fc.assert(
      fc.property(fc.array(fc.array(observation, { maxLength: 12 }), { maxLength: 12 }), (looks) => {
        const devices = apply([], ...looks);
        const macs = devices.filter(({ mac }) => mac !== null).map(({ network, mac }) => `${network} ${mac}`);
        const held = devices.flatMap(({ network, addresses }) => addresses.map((address) => `${network} ${address}`));
        for (const device of devices) {
          const row = isRow(toRow(device));
          if (!row.ok) throw new Error(`${row.field} ${row.detail}`);
        }
        return new Set(macs).size === macs.length && new Set(held).size === held.length;
      }),
    );
    t.pass();
  },
);
