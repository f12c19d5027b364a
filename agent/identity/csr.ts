import './metadata-polyfill.ts';
import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';

export interface KeyAndCsr {
  /** PKCS#8. Goes into the identity file and nowhere else. */
  readonly keyPem: string;
  /** PKCS#10, DER. */
  readonly csr: Buffer;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** The appliance writes its own subject into the certificate; a host name here would only tell strangers. */
const SUBJECT = 'CN=sitewarden-agent';

/** Makes a fresh P-256 key and a request for it; with `keyPem` a request for that key. */
export async function makeCsr(keyPem?: string): Promise<KeyAndCsr> {
  const keys = keyPem === undefined ? await generateKeys() : await importKeys(keyPem);
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: SUBJECT, keys, signingAlgorithm: ALGORITHM },
    webcrypto,
  );
  const exported = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { keyPem: keyPem ?? toPem('PRIVATE KEY', exported), csr: Buffer.from(request.rawData) };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function importKeys(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const der = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(keyPem).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
  };
}

function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
