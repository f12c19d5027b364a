import type { X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { agentErrors } from '../errors.ts';
import type { HostPort } from './address.ts';
import { fingerprintOf, parseCertificate } from './certificates.ts';

/** The name in every appliance's server certificate; addresses change, this does not. */
export const APPLIANCE_SERVER_NAME = 'appliance.sitewarden.internal';

const MAX_CHAIN = 8;

/**
 * Looks at the chain the appliance shows and returns its CA when that has the pinned fingerprint. Nothing is sent: the
 * token goes over a second connection that trusts this CA alone, so a machine in the middle of this one gains nothing.
 * Throws APPLIANCE_UNREACHABLE, ENROLL_PIN_MISMATCH.
 */
export async function fetchPinnedCa(address: HostPort, pin: string, timeoutMs: number): Promise<X509Certificate> {
  const chain = await fetchChain(address, timeoutMs);
  const leaf = chain[0];
  const ca = chain.find((certificate) => fingerprintOf(certificate.raw) === pin);
  if (leaf === undefined || ca === undefined) {
    throw agentErrors.make('ENROLL_PIN_MISMATCH', {
      detail: 'No certificate of the chain has the expected fingerprint',
    });
  }
  if (!ca.ca || !leaf.checkIssued(ca) || !leaf.verify(ca.publicKey)) {
    throw agentErrors.make('ENROLL_PIN_MISMATCH', { detail: 'The server certificate is not issued by the pinned CA' });
  }
  return ca;
}

async function fetchChain(address: HostPort, timeoutMs: number): Promise<X509Certificate[]> {
  let socket: TLSSocket | undefined;
  try {
    return await new Promise<X509Certificate[]>((resolve, reject) => {
      const opened = connect({
        ...address,
        servername: APPLIANCE_SERVER_NAME,
        ALPNProtocols: ['h2'],
        minVersion: 'TLSv1.2',
        // Judged by the fingerprint afterwards; nothing is written to this connection.
        rejectUnauthorized: false,
      });
      socket = opened;
      opened.setTimeout(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
      opened.once('error', reject);
      opened.once('secureConnect', () => resolve(chainOf(opened)));
    });
  } catch (cause) {
    const detail = `${address.host}:${address.port}: ${(cause as Error).message}`;
    throw agentErrors.make('APPLIANCE_UNREACHABLE', { detail, cause });
  } finally {
    // Not destroy: the end of the handshake should still reach the appliance, which would log an attack otherwise.
    socket?.destroySoon();
  }
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (at?.raw !== undefined && chain.length < MAX_CHAIN) {
    const certificate = parseCertificate(at.raw);
    if (certificate !== undefined) chain.push(certificate);
    const issuer: DetailedPeerCertificate | undefined = at.issuerCertificate;
    // The root names itself as its issuer.
    at = issuer === at || issuer?.fingerprint256 === at.fingerprint256 ? undefined : issuer;
  }
  return chain;
}
