import { createPrivateKey, webcrypto } from 'node:crypto';
import { ECDSA_SHA256, loadX509, P256 } from '../../appliance/identity/x509.ts';

const DAY_MS = 86_400_000;

export interface Chain {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

const pemOf = async (key: webcrypto.CryptoKey): Promise<string> => {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string;
};

/** A CA and a server certificate, for 127.0.0.1 if nothing else is asked, that is good for some days around `aroundMs`. */
export async function makeChain(options: {
  aroundMs: number;
  address?: string;
  /** Instead of the address. */
  name?: string;
  usage?: string;
  maker?: string;
  /** How long it is good before and after `aroundMs`. Default 10. */
  days?: number;
}): Promise<Chain> {
  const x509 = await loadX509();
  const { aroundMs, address = '127.0.0.1', name, maker = 'Test root', days = 10 } = options;
  const { usage = x509.ExtendedKeyUsage.serverAuth } = options;
  const keys = async () =>
    (await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const [root, leaf] = [await keys(), await keys()];
  const times = { notBefore: new Date(aroundMs - days * DAY_MS), notAfter: new Date(aroundMs + days * DAY_MS) };
  const rootCertificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${maker}`,
    keys: root,
    notBefore: new Date('2000-01-01'),
    notAfter: new Date('2100-01-01'),
    signingAlgorithm: ECDSA_SHA256,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=relay',
    issuer: rootCertificate.subject,
    publicKey: leaf.publicKey,
    signingKey: root.privateKey,
    signingAlgorithm: ECDSA_SHA256,
    ...times,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        name === undefined ? { type: 'ip', value: address } : { type: 'dns', value: name },
      ]),
      new x509.ExtendedKeyUsageExtension([usage]),
    ],
  });
  return { key: await pemOf(leaf.privateKey), cert: certificate.toString('pem'), ca: rootCertificate.toString('pem') };
}
