import { createPrivateKey, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadX509, newSerial } from '../../../appliance/identity/x509.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const ECDSA = { name: 'ECDSA', hash: 'SHA-256' } as const;
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const DAY_MS = 86_400_000;

export interface KeyAndCertificate {
  keyPem: string;
  certificatePem: string;
}

export interface Authority extends KeyAndCertificate {
  key: webcrypto.CryptoKey;
  name: string;
}

export interface LeafOptions {
  by: Authority;
  subject: string;
  /** Hex. Default: one nobody has on file. */
  serial?: string;
  notBefore?: Date;
  notAfter?: Date;
  usage?: string;
  isCa?: boolean;
}

/** The site CA with its key, out of an appliance's folder: what an attacker must never have, and a proof needs. */
export async function siteAuthority(dataDir: string): Promise<Authority> {
  const read = (name: string) => readFileSync(join(dataDir, 'identity', name), 'utf8');
  return authorityOf({ keyPem: read('site-ca.key.pem'), certificatePem: read('site-ca.pem') });
}

export async function authorityOf(pair: KeyAndCertificate): Promise<Authority> {
  const x509 = await loadX509();
  const der = createPrivateKey(pair.keyPem).export({ format: 'der', type: 'pkcs8' });
  const key = await webcrypto.subtle.importKey('pkcs8', der, P256, false, ['sign']);
  return { ...pair, key, name: new x509.X509Certificate(pair.certificatePem).subject };
}

/** Another authority that gave itself the name of the real one. */
export async function impostorOf(real: Authority): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: real.name,
    keys,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    signingAlgorithm: ECDSA,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  const keyPem = await keyPemOf(keys.privateKey);
  return { keyPem, certificatePem: `${certificate.toString('pem')}\n`, key: keys.privateKey, name: real.name };
}

/** A fresh key and a certificate for it. */
export async function makeLeaf(options: LeafOptions): Promise<KeyAndCertificate> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: options.serial ?? newSerial(),
    subject: options.subject,
    issuer: options.by.name,
    publicKey: keys.publicKey,
    signingKey: options.by.key,
    signingAlgorithm: ECDSA,
    notBefore: options.notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(options.isCa ?? false, undefined, true),
      new x509.ExtendedKeyUsageExtension([options.usage ?? CLIENT_AUTH]),
    ],
  });
  return { keyPem: await keyPemOf(keys.privateKey), certificatePem: `${certificate.toString('pem')}\n` };
}

/** The certificate with another key's public point written over its own, so that the thief can prove possession. */
export function withAnotherKey(certificate: { raw: Buffer; point: Buffer }, another: Buffer): string {
  const at = certificate.raw.indexOf(certificate.point);
  if (at < 0) throw new Error('the certificate does not hold its public key');
  const der = Buffer.from(certificate.raw);
  another.copy(der, at);
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

async function keyPemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string;
}
