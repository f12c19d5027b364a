export const PROBES = ['neighbour', 'mdns'] as const;
export type Probe = (typeof PROBES)[number];

/** One look at something on a network. Never a proof of identity: all of it can be forged by whoever is on the LAN. */
export interface Observation {
  readonly probe: Probe;
  /** CIDR of the box's own network it was seen on. */
  readonly network: string;
  /** Lower case with colons. */
  readonly mac: string | null;
  readonly address: string;
  readonly name: string | null;
  /** Service types such as `_ipp._tcp`. */
  readonly services: readonly string[];
  readonly seenAtMs: number;
}
