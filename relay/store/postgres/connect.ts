import pg from 'pg';
import { relayErrors } from '../../errors.ts';

/** What says that no database answers there, or that it lets nobody in: the network's codes, then PostgreSQL's own. */
const AWAY = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOENT', 'EACCES', 'EPIPE', '28000', '28P01', '3D000', '53300', '57P03'],
]);

/** STORE_UNREACHABLE for a connection that could not be made; any other fault as it is. Names no password. */
export function connectFault(error: unknown, field: string): unknown {
  const { code, message, errors } = error as { code?: string; message?: string; errors?: Error[] };
  const isAway = AWAY.has(code ?? '') || /^(timeout exceeded|Connection terminated)/.test(message ?? '');
  if (!isAway) return error;
  return relayErrors.make('STORE_UNREACHABLE', { field, detail: message || errors?.[0]?.message, cause: error });
}

/** Throws CONFIG_INVALID when a text is no connection string. The text may hold a password and is never repeated. */
export function assertConnectionString(text: string, { field, path }: { field: string; path: string }): void {
  try {
    if (!/^(postgres(ql)?:\/\/|socket:|\/)/.test(text)) throw new TypeError('another beginning');
    new pg.Client({ connectionString: text });
  } catch (cause) {
    throw relayErrors.make('CONFIG_INVALID', {
      field,
      detail: `${path} does not hold a connection string like postgres://role:password@host:5432/database`,
      cause,
    });
  }
}
