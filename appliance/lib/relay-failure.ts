import { BOX_ERRORS, type BoxErrorCode } from '@sitewarden/agent-proto/http';
import { parseRetryAfter } from '@sitewarden/kit/backoff';
import { type ApplianceErrorCode, applianceErrors } from '../errors.ts';
import { ProxyFailure } from './proxy.ts';

/**
 * What is known about a request that did not go well. unsent: it never reached the relay. ambiguous: it may have had its
 * effect. busy: refused for now. clock: signed with the wrong time. unauthorized: this box is not welcome. permanent: the
 * same request will never be taken.
 */
export type FailureKind = 'unsent' | 'ambiguous' | 'busy' | 'clock' | 'unauthorized' | 'permanent';

export interface FailureInput {
  readonly kind: FailureKind;
  readonly code: ApplianceErrorCode | BoxErrorCode;
  readonly detail?: string | undefined;
  readonly cause?: unknown;
  readonly status?: number;
  readonly retryAfterMs?: number | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** `code` is ours or, when the relay answered with one of the contract, the relay's; `message` ends with the next step. */
export class RelayFailure extends Error {
  readonly kind: FailureKind;
  readonly code: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor({ kind, code, detail, cause, status, retryAfterMs, data = {} }: FailureInput) {
    super(messageOf(code, detail), { cause });
    this.name = 'RelayFailure';
    this.kind = kind;
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.data = data;
  }
}

/** Where the relay's own words tell a program, not a person, what to do. */
const FOR_PEOPLE: Readonly<Record<string, string>> = {
  CLOCK_SKEW:
    "The clock of this box is more than 5 minutes off, and the time the relay gave could not be verified. Set the box's date and time, or let NTP (UDP 123) through; it then tries again by itself.",
};

function messageOf(code: string, detail: string | undefined): string {
  const known = Object.hasOwn(BOX_ERRORS, code) ? BOX_ERRORS[code as BoxErrorCode].message : undefined;
  const text = FOR_PEOPLE[code] ?? known ?? applianceErrors.table[code as ApplianceErrorCode].message;
  return detail === undefined ? text : `${detail}. ${text}`;
}

const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
]);
const isTlsCode = (code: string): boolean =>
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|EPROTO)/.test(
    code,
  );

export const isTlsDateCode = (code: unknown): boolean => code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID';

/** What a socket error means. `isConnected`: the request was, or may have been, written. */
export function fromSocketError(error: Error, isConnected: boolean): RelayFailure {
  const code = String((error as NodeJS.ErrnoException).code ?? '');
  const detail = code === '' ? error.message : code;
  if (error instanceof ProxyFailure) {
    const said = error.statusCode === 0 ? error.code : `it answers ${error.statusCode}`;
    return new RelayFailure({ kind: 'unsent', code: 'RELAY_PROXY', detail: `The proxy: ${said}`, cause: error });
  }
  if (isTlsCode(code)) return new RelayFailure({ kind: 'unsent', code: 'RELAY_TLS', detail, cause: error });
  const kind = !isConnected || UNSENT.has(code) ? 'unsent' : 'ambiguous';
  return new RelayFailure({ kind, code: 'RELAY_UNREACHABLE', detail, cause: error });
}

/** The relay does not work with this box, and says why. */
const UNAUTHORIZED = new Set<string>([
  'APPLIANCE_UNKNOWN',
  'APPLIANCE_REVOKED',
  'APPLIANCE_QUARANTINED',
  'APPLIANCE_RELEASED',
  'APPLIANCE_REPLACED',
  'APPLIANCE_REARMED',
  'APPLIANCE_REMOVED',
]);

/** What an answer that is not 2xx means; by its code first, by its status where there is none. */
export function fromAnswer(
  status: number,
  { body, retryAfter, nowMs }: { body: Buffer; retryAfter: string | undefined; nowMs: number },
): RelayFailure {
  const { code: given, data } = readErrorBody(body);
  const code = given !== undefined && Object.hasOwn(BOX_ERRORS, given) ? (given as BoxErrorCode) : 'RELAY_REFUSED';
  const detail = code === 'RELAY_REFUSED' ? `HTTP ${status}${given === undefined ? '' : ` ${given}`}` : undefined;
  const retryAfterMs = parseRetryAfter(retryAfter, nowMs);
  return new RelayFailure({ kind: kindOf(status, code), code, detail, status, retryAfterMs, data });
}

function kindOf(status: number, code: string): FailureKind {
  if (code === 'CLOCK_SKEW') return 'clock';
  if (UNAUTHORIZED.has(code)) return 'unauthorized';
  if (status === 429 || status === 503) return 'busy';
  if (code === 'RELAY_REFUSED' && (status === 401 || status === 403)) return 'unauthorized';
  if (status >= 500 || status === 408 || status === 425) return 'ambiguous';
  // A nonce seen before, or a digest broken on the way: the next request is signed anew.
  if (code === 'NONCE_REPLAYED' || code === 'DIGEST_MISMATCH') return 'busy';
  return 'permanent';
}

function readErrorBody(body: Buffer): { code?: string; data?: Record<string, unknown> } {
  try {
    const value = JSON.parse(body.toString('utf8')) as { code?: unknown; data?: unknown };
    const code = typeof value.code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(value.code) ? value.code : undefined;
    const data = typeof value.data === 'object' && value.data !== null ? (value.data as Record<string, unknown>) : {};
    return code === undefined ? { data } : { code, data };
  } catch {
    return {};
  }
}
