import type { Facts } from '@sitewarden/agent-proto/agent';
import type { Family, Fate } from './nft-ruleset.ts';

export interface FirewallSight {
  readonly technology: string;
  readonly fate: Readonly<Partial<Record<Family, Fate>>>;
  readonly ruleCount: number;
  /** The kernel has an IPv6 address besides loopback. */
  readonly ipv6InUse: boolean;
}

/** `input_policy` is one word when both families agree, else both are named: one open family is an open door. */
export function firewallFacts({ technology, fate, ruleCount, ipv6InUse }: FirewallSight): Facts {
  const ipv4 = fate.ipv4 ?? 'none';
  const ipv6 = ipv6InUse ? (fate.ipv6 ?? 'none') : ipv4;
  return {
    technology,
    active: ipv4 !== 'none' || ipv6 !== 'none',
    input_policy: ipv4 === ipv6 ? ipv4 : `ipv4=${ipv4} ipv6=${ipv6}`,
    rule_count: ruleCount,
  };
}

/** /proc/net/if_inet6: one line an address, the device's name last. */
export function hasIpv6(ifInet6: string): boolean {
  return ifInet6.split('\n').some((line) => line.trim() !== '' && !/\slo$/.test(line.trim()));
}
