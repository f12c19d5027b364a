import { createHash, createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { checkCsr } from './csr.ts';
import { type KeyFolder, loadOrMake } from './key-files.ts';
import { PLAIN_VAULT } from './vault.ts';
import { ECDSA_SHA256, loadX509, NEVER, NOT_BEFORE, newSerial, P256 } from './x509.ts';

const DAY_MS = 86_400_000;
/** Agents renew at two thirds of it. */
export const AGENT_CERTIFICATE_MS = 30 * DAY_MS;

export interface IssuedCertificate {
  readonly der: Buffer;
  /** Hex, lower case. */
  readonly serial: string;
  readonly notAfterMs: number;
  /** SHA-256 of the SubjectPublicKeyInfo it is for. */
  readonly keyHash: Buffer;
}

export interface SiteCa {
  readonly certificatePem: string;
  readonly certificateDer: Buffer;
  readonly certificate: X509Certificate;
  /** Hex SHA-256 of the DER certificate: what an agent pins before it enrols. */
  readonly sha256: string;
  /** PKCS#10 PEM: shows the relay that this box holds the key of its CA. */
  readonly csrPem: string;
  /** Client certificate with CN = `agentId` for the key of the request. Throws CSR_INVALID. */
  issueForAgent(input: { csr: Uint8Array; agentId: string; nowMs: number }): Promise<IssuedCertificate>;
  /** Server certificate for a key made here. */
  issueForServer(input: { publicKey: webcrypto.CryptoKey; names: ServerNames; notAfter: Date }): Promise<string>;
}

export interface ServerNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

async function makeKeyPem(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string;
}

/** Both halves of a P-256 key as WebCrypto keys. Throws on anything else. */
async function importPair(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const jwk = createPrivateKey(pem).export({ format: 'jwk' });
  const { d: _private, ...publicJwk } = jwk;
  const importKey = (key: webcrypto.JsonWebKey, use: webcrypto.KeyUsage) =>
    webcrypto.subtle.importKey('jwk', key, P256, true, [use]);
  return { privateKey: await importKey(jwk, 'sign'), publicKey: await importKey(publicJwk, 'verify') };
}

async function makeCertificate(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const x509 = await loadX509();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    // Unlike for every site, so that two sites' CAs are never confused in a trust store.
    name: `CN=Sitewarden site CA ${newSerial().slice(0, 8)}`,
    keys,
    notBefore: NOT_BEFORE,
    notAfter: NEVER,
    signingAlgorithm: ECDSA_SHA256,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return certificate.toString('pem');
}

async function makeCsr(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const { Pkcs10CertificateRequestGenerator: Generator } = await loadX509();
  const csr = await Generator.create({ name: 'CN=Sitewarden site CA', keys, signingAlgorithm: ECDSA_SHA256 });
  return `${csr.toString('pem')}\n`;
}

export async function loadSiteCa(folder: KeyFolder): Promise<SiteCa> {
  const keys = await loadOrMake({ ...folder, name: 'site-ca.key.pem', make: makeKeyPem, parse: importPair });
  // Nothing secret stands in these.
  const open = { dir: folder.dir, vault: PLAIN_VAULT };
  const certificate = await loadOrMake({
    ...open,
    name: 'site-ca.pem',
    make: () => makeCertificate(keys),
    parse: (pem) => new X509Certificate(pem),
  });
  const csrPem = await loadOrMake({ ...open, name: 'site-ca.csr.pem', make: () => makeCsr(keys), parse: (pem) => pem });
  const certificatePem = certificate.toString();

  async function issue(input: {
    subject: string;
    publicKey: unknown;
    notAfter: Date;
    usage: string;
    names?: ServerNames;
  }) {
    const x509 = await loadX509();
    const { subject, publicKey, notAfter, usage, names } = input;
    const serial = newSerial();
    const issued = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      subject,
      issuer: new x509.X509Certificate(certificatePem).subject,
      publicKey: publicKey as webcrypto.CryptoKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ECDSA_SHA256,
      notBefore: NOT_BEFORE,
      notAfter,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ...(names === undefined
          ? []
          : [
              new x509.SubjectAlternativeNameExtension([
                ...names.dns.map((value) => ({ type: 'dns' as const, value })),
                ...names.ip.map((value) => ({ type: 'ip' as const, value })),
              ]),
            ]),
      ],
    });
    return { issued, serial };
  }

  return {
    certificate,
    certificatePem,
    certificateDer: certificate.raw,
    sha256: createHash('sha256').update(certificate.raw).digest('hex'),
    csrPem,
    async issueForAgent({ csr, agentId, nowMs }) {
      const { publicKey } = await checkCsr(csr);
      const { ExtendedKeyUsage } = await loadX509();
      // Whole seconds: that is all a certificate can say.
      const notAfterMs = Math.floor((nowMs + AGENT_CERTIFICATE_MS) / 1000) * 1000;
      const { issued, serial } = await issue({
        subject: `CN=${agentId}`,
        publicKey,
        notAfter: new Date(notAfterMs),
        usage: ExtendedKeyUsage.clientAuth,
      });
      const keyHash = createHash('sha256').update(Buffer.from(publicKey.rawData)).digest();
      return { der: Buffer.from(issued.rawData), serial, notAfterMs, keyHash };
    },
    async issueForServer({ publicKey, names, notAfter }) {
      const { ExtendedKeyUsage } = await loadX509();
      const subject = 'CN=appliance.sitewarden.internal';
      const { issued } = await issue({ subject, publicKey, names, notAfter, usage: ExtendedKeyUsage.serverAuth });
      return issued.toString('pem');
    },
  };
}
