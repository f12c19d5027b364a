import { BlockList, isIPv4 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** A network the box is itself part of. Only those are looked at. */
export interface OwnNetwork {
  readonly interfaceName: string;
  /** The box's own IPv4 address there. */
  readonly address: string;
  /** Like 192.168.7.0/24. */
  readonly cidr: string;
  /** IPv4 only. */
  contains(address: string): boolean;
}

export type InterfaceTable = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** Made by container engines, hypervisors and tunnels: nobody of the site is on them. */
const VIRTUAL = /^(docker|veth|br-[0-9a-f]{12}$|virbr|vnet|cni|flannel|cali|lxc|podman|tun|tap|wg|tailscale|zt)/;

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}

/**
 * Networks with a private IPv4 address on interfaces of the site, or on exactly the `wanted` ones. An interface without
 * IPv4 is not looked at.
 */
export function ownNetworks(wanted?: readonly string[], table: InterfaceTable = networkInterfaces()): OwnNetwork[] {
  const networks: OwnNetwork[] = [];
  for (const [interfaceName, addresses] of Object.entries(table)) {
    if (wanted === undefined ? VIRTUAL.test(interfaceName) : !wanted.includes(interfaceName)) continue;
    for (const { family, internal, cidr, address } of addresses ?? []) {
      if (family !== 'IPv4' || internal || cidr === null) continue;
      if (wanted === undefined && !PRIVATE.check(address, 'ipv4')) continue;
      networks.push(networkOf(interfaceName, address, cidr));
    }
  }
  return networks;
}

function networkOf(interfaceName: string, address: string, cidr: string): OwnNetwork {
  const prefix = Number(cidr.split('/')[1]);
  const base = baseOf(address, prefix);
  const block = new BlockList();
  block.addSubnet(base, prefix, 'ipv4');
  return {
    interfaceName,
    address,
    cidr: `${base}/${prefix}`,
    contains: (other) => isIPv4(other) && block.check(other, 'ipv4'),
  };
}

function baseOf(address: string, prefix: number): string {
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefix);
  const base = Math.floor(value / size) * size;
  return [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.');
}
