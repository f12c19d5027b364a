import { agentErrors } from '../errors.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Splits host:port or [v6]:port. Throws APPLIANCE_ADDRESS_MISSING naming the field. */
export function parseAddress(address: string | undefined): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(address ?? '');
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw agentErrors.make('APPLIANCE_ADDRESS_MISSING', {
      field: 'applianceAddress',
      detail: address === undefined ? undefined : 'The address is not host:port',
    });
  }
  return { host: match[1] ?? match[2]!, port };
}
