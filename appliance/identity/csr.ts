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
  // The parser takes trailing bytes; one request has one encoding.
  if (sequenceLength(der) !== der.length)
    throw applianceErrors.make('CSR_INVALID', { field: 'csr', detail: 'Not DER' });
  const { Pkcs10CertificateRequest: Request } = await loadX509();
  let request: Pkcs10CertificateRequest;
  let isSigned: boolean;
  try {
    request = new Request(Uint8Array.from(der));
    isSigned = await request.verify();
  } catch {
    throw applianceErrors.make('CSR_INVALID', { field: 'csr', detail: 'It cannot be read' });
  }
  const keyType = keyTypeOf(request.publicKey.algorithm);
  if (keyType === undefined) throw applianceErrors.make('CSR_INVALID', { field: 'csr', detail: 'Another kind of key' });
  if (!isSigned) throw applianceErrors.make('CSR_INVALID', { field: 'csr', detail: 'It is not signed by its own key' });
  return { publicKey: request.publicKey, keyType };
}

/** Bytes of the DER sequence at the start, its header too; -1 when there is none. Up to 64 KiB. */
function sequenceLength(der: Uint8Array): number {
  const [tag, first = 0x80, high = 0, low = 0] = der;
  if (tag !== 0x30) return -1;
  if (first < 0x80) return 2 + first;
  if (first === 0x81) return 3 + high;
  return first === 0x82 ? 4 + high * 256 + low : -1;
}

function keyTypeOf(algorithm: { name: string; namedCurve?: string }): CheckedCsr['keyType'] | undefined {
  if (algorithm.name === 'ECDSA' && algorithm.namedCurve === 'P-256') return 'p256';
  return algorithm.name === 'Ed25519' ? 'ed25519' : undefined;
}
