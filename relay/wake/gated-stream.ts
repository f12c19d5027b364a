import { Duplex } from 'node:stream';
import type { GateFault, PacketGate } from './packet-gate.ts';

/** `inner` with what comes in looked at first; after a fault nothing more of it is read and both are destroyed. */
export function gateStream(
  inner: Duplex,
  { gate, nowMs, onFault }: { gate: PacketGate; nowMs(): number; onFault(fault: GateFault): void },
): Duplex {
  const outer = new Duplex({
    readableHighWaterMark: 4096,
    read: () => void inner.resume(),
    write: (chunk, _encoding, done) => void inner.write(chunk, done),
    final: (done) => void inner.end(done),
    destroy(error, done) {
      inner.destroy();
      done(error);
    },
  });
  inner.on('data', (chunk: Buffer) => {
    if (outer.destroyed) return;
    const fault = gate.take(chunk, nowMs());
    if (fault !== undefined) {
      onFault(fault);
      outer.destroy();
    } else if (!outer.push(chunk)) inner.pause();
  });
  inner.on('end', () => {
    if (!outer.destroyed) outer.push(null);
  });
  inner.on('error', () => outer.destroy());
  inner.on('close', () => outer.destroy());
  return outer;
}
