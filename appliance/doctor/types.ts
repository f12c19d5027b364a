import type { DoctorFinding, DoctorStep } from '@sitewarden/agent-proto/http';
import type { OutboundProxy } from '../lib/proxy.ts';

export type { DoctorStep };

export interface DoctorLine extends DoctorFinding {
  readonly code: DoctorCode | null;
}

export const DOCTOR_CODES = [
  'NO_CABLE',
  'NO_ADDRESS',
  'NO_DHCP',
  'NO_ROUTE',
  'DNS_SILENT',
  'DNS_FAILED',
  'DNS_UNKNOWN_NAME',
  'DNS_FILTERED',
  'PORT_REFUSED',
  'PORT_BLOCKED',
  'NETWORK_UNREACHABLE',
  'PROXY_UNREACHABLE',
  'PROXY_LOGIN',
  'PROXY_REFUSED',
  'TLS_INTERCEPTED',
  'TLS_NAME',
  'TLS_DATE',
  'TLS_NOT_SPOKEN',
  'CAPTIVE_PORTAL',
  'HTTP_SILENT',
  'NOT_THE_RELAY',
  'RELAY_FAILING',
  'CLOCK_WRONG',
  'DISK_FULL',
  'DISK_READ_ONLY',
  'STEP_FAILED',
] as const;
export type DoctorCode = (typeof DOCTOR_CODES)[number];

export interface DoctorInput {
  readonly relayOrigin: string;
  /** The relay's pinned root key: only an answer it stands behind is the relay's. */
  readonly rootKey: string;
  /** PEM of the CA the relay's certificate must come from; default: the system's. */
  readonly ca?: string | undefined;
  readonly proxy?: OutboundProxy | undefined;
  readonly dataDir: string;
  nowMs(): number;
}

/** What the steps know of the way, and leave for those after them. */
export interface Patient extends DoctorInput {
  readonly url: URL;
  /** Of the relay, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whom the box itself connects to: the relay, or the proxy. */
  readonly next: { readonly host: string; readonly port: number };
  /** Addresses of `next`, once resolved. */
  addresses: readonly string[];
  /** What the relay's answer says the time is. */
  relayDate?: string | undefined;
  /** Why TLS failed, where that was a date: the clock step says by how much. */
  certificate?: { readonly fromMs: number; readonly toMs: number };
}

/** A finding of a step; `text` is whole sentences of which the last says what to do. */
export class Finding extends Error {
  override readonly name = 'Finding';
  readonly code: DoctorCode;

  constructor(code: DoctorCode, text: string) {
    super(text);
    this.code = code;
  }
}

/** Answers with what is fine, throws a Finding otherwise. */
export type Examination = (patient: Patient) => Promise<string>;

export const STEP_TIMEOUT_MS = 5000;
