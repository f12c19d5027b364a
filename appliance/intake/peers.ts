import type { X509Certificate } from 'node:crypto';
import type { CodedError } from '@sitewarden/kit/errors';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import { agents, certificates } from '../store/index.ts';

/** Who is at the other end of a connection. */
export type Peer =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'agent'; readonly agentId: string; readonly serial: string; readonly notAfterMs: number }
  | { readonly kind: 'refused'; readonly error: CodedError };

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export interface PeerRules {
  readonly db: SqliteDatabase;
  /** The site CA: nothing in between. */
  readonly ca: X509Certificate;
  readonly nowMs: number;
  /** Of clocks that do not agree the later one: one that was set back must not lock out whom we let in before. */
  readonly latestMs?: number;
}

const invalid = (detail: string): Peer => ({
  kind: 'refused',
  error: applianceErrors.make('CLIENT_CERTIFICATE_INVALID', { detail }),
});

/**
 * Who a client certificate stands for: signed by the site CA itself, for clients, in time, its serial number one we
 * issued and did not revoke, its name the agent we issued it to. TLS has proved that the peer holds the key.
 */
export function peerOf(certificate: X509Certificate | undefined, { db, ca, nowMs, latestMs = nowMs }: PeerRules): Peer {
  if (certificate === undefined) return { kind: 'anonymous' };
  if (certificate.ca || !certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) {
    return invalid('It was not issued by this site');
  }
  if (!certificate.keyUsage?.includes(CLIENT_AUTH)) return invalid('It is not a client certificate');
  const serial = certificate.serialNumber.toLowerCase();
  const record = certificates.bySerial(db, serial);
  if (record === undefined || certificate.subject !== `CN=${record.agentId}`) return invalid('It is not on file');
  const agent = agents.byId(db, record.agentId);
  if (record.revokedAtMs !== null || agent?.state !== 'active') {
    return { kind: 'refused', error: applianceErrors.make('AGENT_REMOVED') };
  }
  // Last, so that an agent that was away until its certificate ran out hears that it was removed meanwhile.
  const notAfterMs = certificate.validToDate.getTime();
  if (nowMs >= notAfterMs || latestMs < certificate.validFromDate.getTime()) return invalid('It is out of date');
  return { kind: 'agent', agentId: record.agentId, serial, notAfterMs };
}
