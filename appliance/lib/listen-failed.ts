import type { CodedError } from '@sitewarden/kit/errors';
import { applianceErrors } from '../errors.ts';

const WORDS: Readonly<Record<string, { key: 'host' | 'port'; what: string }>> = {
  EADDRINUSE: { key: 'port', what: 'is in use by another program' },
  EACCES: { key: 'port', what: 'is not allowed to this account' },
  EADDRNOTAVAIL: { key: 'host', what: 'is no address of this machine' },
  ENOTFOUND: { key: 'host', what: 'is a name nobody knows' },
};

/** LISTEN_FAILED naming the key of the configuration that is at fault. `part`: the group of the keys `host` and `port`. */
export function listenFailed(part: 'intake' | 'local', at: { host: string; port: number }, cause: unknown): CodedError {
  const code = String((cause as NodeJS.ErrnoException).code);
  const { key, what } = WORDS[code] ?? { key: 'host' as const, what: `cannot be listened on (${code})` };
  const field = `${part}.${key}`;
  const address = at.host.includes(':') ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`;
  return applianceErrors.make('LISTEN_FAILED', { field, detail: `${field}: ${address} ${what}`, cause });
}
