import type { Logger } from '@sitewarden/kit/log';
import multicastDns from 'multicast-dns';
import { type MdnsPacket, observeMdns } from './mdns.ts';
import type { OwnNetwork } from './networks.ts';
import type { Observation } from './types.ts';

export interface MdnsListener {
  /** Joins on these networks too; leaves none, since an interface that is gone has left by itself. */
  watch(networks: readonly OwnNetwork[]): void;
  /** What was heard since the last call, one for each sender and saying. */
  take(): Observation[];
  stop(): Promise<void>;
}

/** Kept between two looks; a flood beyond it is dropped. */
const MAX_HEARD = 1024;

/** Only listens: no query ever leaves the box from here. */
export function listenMdns({
  log,
  nowMs,
  onHeard,
}: {
  readonly log: Logger;
  nowMs(): number;
  /** Something was heard after nothing was. */
  onHeard(): void;
}): MdnsListener {
  const addresses: string[] = [];
  const heard = new Map<string, Observation>();
  let networks: readonly OwnNetwork[] = [];
  // Joining before the port is bound would bind another port.
  let isBound = false;

  const socket = multicastDns({ interface: addresses, bind: '0.0.0.0' });
  socket.on('packet', (packet, { address }) => {
    const seen = observeMdns(packet as MdnsPacket, address, { networks, nowMs: nowMs() });
    if (seen === undefined) return;
    const key = `${address}|${seen.name ?? ''}|${seen.services.join()}`;
    if (heard.size >= MAX_HEARD && !heard.has(key)) return;
    heard.set(key, seen);
    if (heard.size === 1) onHeard();
  });
  socket.on('ready', () => {
    isBound = true;
    socket.update();
  });
  // Packets that are no DNS end here too: nothing to tell about a stranger's noise.
  socket.on('warning', () => {});
  socket.on('error', (error) => {
    isBound = false;
    log.warn({ err: error }, 'cannot listen to mDNS; devices are found by the neighbour table alone');
  });

  return {
    watch(current) {
      networks = current;
      addresses.splice(0, addresses.length, ...new Set(current.map(({ address }) => address)));
      if (isBound) socket.update();
    },
    take() {
      const all = [...heard.values()];
      heard.clear();
      return all;
    },
    stop: () => new Promise((resolve) => socket.destroy(resolve)),
  };
}
