import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import t from 'tap';
import { createPacketGate } from '../../../relay/wake/packet-gate.ts';

const limits = { maxPacketBytes: 64, maxBytesPerMinute: 1000 };
const subscribe = mqttPacket.generate({
  cmd: 'subscribe',
  messageId: 1,
  qos: 1,
  subscriptions: [{ topic: 'a/b/wake', qos: 0 }],
} as never);
const ping = mqttPacket.generate({ cmd: 'pingreq' });

t.test('the same packets are taken however they are cut', async (t) => {
  const bytes = Buffer.concat([subscribe, ping, subscribe, ping]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 30 }), (cuts) => {
      const gate = createPacketGate(limits);
      for (let at = 0, i = 0; at < bytes.length; i += 1) {
        const step = cuts[i % cuts.length] as number;
        if (gate.take(bytes.subarray(at, at + step), 0) !== undefined) return false;
        at += step;
      }
      return true;
    }),
  );
  t.pass('all of them');
});

t.test('each fault is named before the body is there', async (t) => {
  const first = (bytes: number[]) => createPacketGate(limits).take(Uint8Array.from(bytes), 0);
  t.equal(first([0x30, 2]), 'PACKET_NOT_ALLOWED', 'PUBLISH');
  t.equal(first([0x40, 2]), 'PACKET_NOT_ALLOWED', 'PUBACK');
  t.equal(first([0x20, 2]), 'PACKET_NOT_ALLOWED', 'what only a broker says');
  t.equal(first([0x82, 62]), undefined, '64 bytes with its header');
  t.equal(first([0x82, 63]), 'PACKET_TOO_LARGE');
  t.equal(first([0x82, 0xff, 0xff, 0xff, 0x7f]), 'PACKET_TOO_LARGE');
  t.equal(first([0x82, 0x80, 0x80, 0x80, 0x80]), 'PACKET_MALFORMED');
});

t.test('a client that talks all day is cut, one that pings is not', async (t) => {
  const chatty = createPacketGate(limits);
  let fault: string | undefined;
  for (let i = 0; i < 600 && fault === undefined; i += 1) fault = chatty.take(ping, i);
  t.equal(fault, 'TRAFFIC_TOO_MUCH');
  const calm = createPacketGate(limits);
  for (let i = 0; i < 5000; i += 1) t.equal(calm.take(ping, i * 45_000), undefined);
});

t.test('no bytes make it throw', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      createPacketGate(limits).take(bytes, 0);
    }),
  );
  t.pass('none of them');
});
