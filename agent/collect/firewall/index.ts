import type { Collector } from '../types.ts';
import { collectFirewall } from './collect.ts';
import { evaluateFirewall } from './evaluate.ts';

/** The host's own packet filter: nftables, firewalld, ufw or iptables, by the rules the kernel holds. */
export const firewall: Collector = {
  name: 'firewall',
  platforms: ['linux'],
  collect: collectFirewall,
  evaluate: evaluateFirewall,
};
