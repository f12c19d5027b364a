import { readdirSync, readFileSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { Finding, type Patient } from './types.ts';

const INTERFACES = '/sys/class/net';

/** Is there a cable, or a radio that is connected. */
export async function examineLink({ next }: Patient): Promise<string> {
  if (isLoopback(next.host)) return 'The relay runs on this very box; no cable is needed.';
  const ports = physicalPorts();
  const connected = ports.filter(({ hasCarrier }) => hasCarrier).map(({ name }) => name);
  if (connected.length > 0) return `${connected.join(', ')} ${connected.length === 1 ? 'is' : 'are'} connected.`;
  if (ports.length === 0 && addresses().length > 0) return 'The box has a network.';
  const names = ports.map(({ name }) => name).join(', ') || 'No network port was found';
  throw new Finding(
    'NO_CABLE',
    `No network port is connected (${names}). Plug in the cable at both ends, and look for the light on the switch.`,
  );
}

/** Does the box have an address of this network, and a way out of it. */
export async function examineAddress({ next }: Patient): Promise<string> {
  if (isLoopback(next.host)) return 'The relay runs on this very box; no address is needed.';
  const all = addresses();
  const usable = all.filter(({ address }) => !isLinkLocal(address));
  if (usable.length === 0) {
    const own = all.find(({ family }) => family === 'IPv4');
    if (own !== undefined) {
      const text = `The box gave itself ${own.address} because no DHCP server answered. Switch DHCP on at the router for this port, or set a fixed address.`;
      throw new Finding('NO_DHCP', text);
    }
    throw new Finding(
      'NO_ADDRESS',
      'The box has no network address. Check that the router gives out addresses (DHCP) on this port, or set a fixed one.',
    );
  }
  const shown = usable
    .map(({ address }) => address)
    .slice(0, 3)
    .join(', ');
  if (process.platform === 'linux' && !hasRoute()) {
    throw new Finding(
      'NO_ROUTE',
      `The box has ${shown}, but no gateway out of this network. Set the gateway, or let the router give one out by DHCP.`,
    );
  }
  return `The box has ${shown}.`;
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

const isLinkLocal = (address: string): boolean => address.startsWith('169.254.') || /^fe[89ab]/i.test(address);

function addresses(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal);
}

/** Those with hardware, or a cable pair, behind them; bridges and tunnels say nothing about a cable. */
function physicalPorts(): { name: string; hasCarrier: boolean }[] {
  let names: string[];
  try {
    names = readdirSync(INTERFACES);
  } catch {
    return [];
  }
  return names
    .filter(
      (name) => name !== 'lo' && read(`${INTERFACES}/${name}/type`) === '1' && !/^(docker|veth|br-|virbr)/.test(name),
    )
    .map((name) => ({ name, hasCarrier: read(`${INTERFACES}/${name}/carrier`) === '1' }));
}

/** A route for everything, IPv4 or IPv6, that is up. */
function hasRoute(): boolean {
  const v4 = read('/proc/net/route').split('\n').slice(1);
  if (v4.some((line) => line.split('\t')[1] === '00000000' && line.split('\t')[7] === '00000000')) return true;
  return read('/proc/net/ipv6_route')
    .split('\n')
    .some((line) => /^0{32} 00 /.test(line) && !/ lo$/.test(line));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
