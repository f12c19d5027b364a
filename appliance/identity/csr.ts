import type { Pkcs10CertificateRequest } from '@peculiar/x509';
import { AGENT_LIMITS } from '@sitewarden/agent-proto/agent';
import { applianceErrors } from '../errors.ts';
import { loadX509 } from './x509.ts';

/** What a checked request asks for; of its names nothing is taken over. */
export interface CheckedCsr {
  readonly publicKey: Pkcs10CertificateRequest['publicKey'];
  readonly keyType: 'p256' | 'ed25519';
}

/** Throws CSR_INVALID unless it is a DER PKCS#10 over a P-256 or Ed25519 key, signed by that key. */
export async function checkCsr(der: Uint8Array): Promise<CheckedCsr> {
  if (der.length === 0 || der.length > AGENT_LIMITS.maxCsrBytes) {
    throw applianceErrors.make('CSR_INVALID', { field: 'csr', detail: `It has ${der.length} bytes` });
  }
  const { Pkcs10CertificateRequest: Request } = await loadX509();
  let request: Pkcs10CertificateRequest;
  let isSigned: boolean;
  try {
    request = new Request(Uint8Array.from(der));
    // The parser takes trailing bytes; one request has one encoding.
    if (request.rawData.byteLength !== der.length) throw new Error('trailing bytes');
    isSigned = await request.verify();
  } catch {
    throw applianceErrors.make('CSR_INVALID', { field: 'csr', detail: 'It cannot be read' });
  }
  const keyType = keyTypeOf(request.publicKey.algorithm);
  if (keyType === undefined) throw applianceErrors.make('CSR_INVALID', { field: 'csr', detail: 'Another kind of key' });
  if (!isSigned) throw applianceErrors.make('CSR_INVALID', { field: 'csr', detail: 'It is not signed by its own key' });
  return { publicKey: request.publicKey, keyType };
}

function keyTypeOf(algorithm: { name: string; namedCurve?: string }): CheckedCsr['keyType'] | undefined {
  if (algorithm.name === 'ECDSA' && algorithm.namedCurve === 'P-256') return 'p256';
  return algorithm.name === 'Ed25519' ? 'ed25519' : undefined;
}
