import { networkInterfaces } from 'node:os';
import type { ApplianceConfig } from '../config/index.ts';

/** host:port that agents reach this box by: a configured name first, then an own address. `intakeAddress` has the port. */
export function reachableAddress({ intake }: Pick<ApplianceConfig, 'intake'>, intakeAddress: string): string {
  const host = intake.publicHost[0] ?? (isWildcard(intake.host) ? outerAddress() : intake.host);
  return `${inUrl(host)}:${intakeAddress.slice(intakeAddress.lastIndexOf(':') + 1)}`;
}

/** `http://host:port` of the page; undefined when it is open to this box alone. */
export function reachablePage({ local }: Pick<ApplianceConfig, 'local'>, localUrl: string): string | undefined {
  const { host, hostNames } = local;
  if (host === 'localhost' || host === '::1' || host.startsWith('127.')) return undefined;
  const { port } = new URL(localUrl);
  // The page answers to no other name.
  const outer = isWildcard(host) ? (hostNames[0] ?? outerAddress()) : host;
  return `http://${inUrl(outer)}:${port || '80'}`;
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** A wildcard is no place to go to, so the first address others can reach. */
function outerAddress(): string {
  const outer = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  return outer?.address ?? '127.0.0.1';
}
