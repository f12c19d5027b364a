/** Packages that carry no types: the parts of them that are used. */
declare module 'multicast-dns' {
  import type { RemoteInfo } from 'node:dgram';
  import type { EventEmitter } from 'node:events';

  interface Options {
    readonly port?: number;
    readonly bind?: string;
    /** Addresses of the interfaces to join on; read again every 5 s. */
    readonly interface?: readonly string[];
    readonly reuseAddr?: boolean;
    readonly loopback?: boolean;
  }
  interface MulticastDns extends EventEmitter {
    on(event: 'packet', listener: (packet: object, from: RemoteInfo) => void): this;
    on(event: 'error' | 'warning', listener: (error: Error) => void): this;
    on(event: 'ready', listener: () => void): this;
    update(): void;
    destroy(done?: () => void): void;
  }
  export default function multicastDns(options: Options): MulticastDns;
}

/** What multicast-dns decodes with. */
declare module 'dns-packet' {
  const dnsPacket: {
    encode(packet: object): Buffer;
    /** Throws for what is no DNS packet. */
    decode(bytes: Buffer): { type: 'query' | 'response'; answers: object[]; additionals: object[] };
  };
  export default dnsPacket;
}
