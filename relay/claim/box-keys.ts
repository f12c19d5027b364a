import { createHash } from 'node:crypto';
import type { BoxKeys } from '@sitewarden/agent-proto/http';
import { rawKeyBytes } from '@sitewarden/agent-proto/keys';
import { relayErrors } from '../errors.ts';
import { sealKeyFault } from '../lib/seal-key.ts';
import { loadX509 } from '../lib/x509.ts';

/**
 * The keys are what they should be, are three different ones, and the box holds the private half of its site CA. Answers
 * with base64url(SHA-256(SPKI of the CA)), by which the CA is known. Throws BODY_INVALID naming the key, CSR_INVALID.
 */
export async function checkBoxKeys({ dik, evk, seal, siteCaCsr }: BoxKeys): Promise<string> {
  for (const [name, key] of Object.entries({ dik, evk })) {
    try {
      rawKeyBytes(key);
    } catch (cause) {
      throw relayErrors.make('BODY_INVALID', { field: `/keys/${name}`, detail: (cause as Error).message, cause });
    }
  }
  const fault = sealKeyFault(seal);
  if (fault !== undefined) throw relayErrors.make('BODY_INVALID', { field: '/keys/seal', detail: `seal ${fault}` });
  if (new Set([dik, evk, seal]).size !== 3) {
    throw relayErrors.make('BODY_INVALID', { field: '/keys', detail: 'One key serves two purposes' });
  }
  return siteCaFingerprint(siteCaCsr);
}

async function siteCaFingerprint(pem: string): Promise<string> {
  try {
    const { Pkcs10CertificateRequest } = await loadX509();
    const request = new Pkcs10CertificateRequest(pem);
    const algorithm = request.publicKey.algorithm as { name?: string; namedCurve?: string };
    if (algorithm.name === 'ECDSA' && algorithm.namedCurve === 'P-256' && (await request.verify())) {
      return createHash('sha256').update(Buffer.from(request.publicKey.rawData)).digest('base64url');
    }
  } catch (cause) {
    throw relayErrors.make('CSR_INVALID', { field: '/keys/siteCaCsr', cause });
  }
  throw relayErrors.make('CSR_INVALID', { field: '/keys/siteCaCsr' });
}
