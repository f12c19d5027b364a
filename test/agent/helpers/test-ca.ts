import '../../../agent/identity/metadata-polyfill.ts';
import { createHash, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const DAY_MS = 86_400_000;

export interface IssuedCertificate {
  readonly der: Buffer;
  readonly pem: string;
  readonly serial: string;
  readonly notAfterMs: number;
}

export interface ClientDates {
  readonly certificateLifetimeMs: number;
  readonly datedBackMs: number;
}

export interface TestCa {
  readonly pem: string;
  readonly der: Buffer;
  /** sha256:<hex> of the DER. */
  readonly fingerprint: string;
  issueServer(dnsName: string): Promise<{ keyPem: string; certificatePem: string }>;
  issueClient(csr: Buffer, subject: string, dates: ClientDates): Promise<IssuedCertificate>;
}

/** A certificate authority with a key of its own. */
export async function createTestCa(name = 'Test Site CA'): Promise<TestCa> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const ca = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${name}`,
      keys,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 3650 * DAY_MS),
      extensions: [new BasicConstraintsExtension(true, 0, true)],
    },
    webcrypto,
  );
  const der = Buffer.from(ca.rawData);
  const common = { issuer: ca.subject, signingKey: keys.privateKey, signingAlgorithm: ALGORITHM };
  return {
    pem: `${ca.toString('pem')}\n`,
    der,
    fingerprint: `sha256:${createHash('sha256').update(der).digest('hex')}`,
    async issueServer(dnsName) {
      const server = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const certificate = await X509CertificateGenerator.create(
        {
          ...common,
          subject: `CN=${dnsName}`,
          publicKey: server.publicKey,
          notBefore: new Date(Date.now() - DAY_MS),
          notAfter: new Date(Date.now() + 365 * DAY_MS),
          extensions: [
            new SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }]),
            new ExtendedKeyUsageExtension([SERVER_AUTH]),
          ],
        },
        webcrypto,
      );
      const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', server.privateKey));
      return {
        keyPem: `-----BEGIN PRIVATE KEY-----\n${key.toString('base64')}\n-----END PRIVATE KEY-----\n`,
        certificatePem: `${certificate.toString('pem')}\n`,
      };
    },
    async issueClient(csr, subject, { certificateLifetimeMs, datedBackMs }) {
      const request = new Pkcs10CertificateRequest(csr);
      if (!(await request.verify(webcrypto))) throw new Error('the request is not signed by its key');
      const notAfter = new Date(Date.now() + certificateLifetimeMs);
      const certificate: X509Certificate = await X509CertificateGenerator.create(
        {
          ...common,
          subject: `CN=${subject}`,
          publicKey: await request.publicKey.export(webcrypto),
          notBefore: new Date(Date.now() - datedBackMs),
          notAfter,
          extensions: [new ExtendedKeyUsageExtension([CLIENT_AUTH])],
        },
        webcrypto,
      );
      return {
        der: Buffer.from(certificate.rawData),
        pem: certificate.toString('pem'),
        serial: certificate.serialNumber,
        notAfterMs: notAfter.getTime(),
      };
    },
  };
}
