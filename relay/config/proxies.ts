import { isIP } from 'node:net';
import { relayErrors } from '../errors.ts';

/** Names the web framework knows for ranges of addresses. */
const RANGES = new Set(['loopback', 'linklocal', 'uniquelocal']);

function isProxy(text: string): boolean {
  if (RANGES.has(text)) return true;
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^[1-9][0-9]{0,2}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}

/** Throws CONFIG_INVALID naming the first entry that is neither an address nor a network. */
export function assertProxies(trustProxy: readonly string[]): void {
  const at = trustProxy.findIndex((text) => !isProxy(text));
  if (at < 0) return;
  throw relayErrors.make('CONFIG_INVALID', {
    field: `trustProxy[${at}]`,
    detail: `\`${trustProxy[at]}\` is neither an address nor a network like 10.0.0.0/8`,
  });
}
