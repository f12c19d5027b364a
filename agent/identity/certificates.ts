import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';

/** `sha256:<hex>` over the DER: how people compare a CA. */
export function fingerprintOf(der: Uint8Array): string {
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}

/** undefined when the bytes are no certificate. */
export function parseCertificate(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

export interface IssuedCertificate {
  readonly certificate: X509Certificate;
  readonly ca: X509Certificate;
}

/** What is wrong with a certificate issued for our key; undefined when nothing is. */
export function findFault(issued: IssuedCertificate, keyPem: string): string | undefined {
  const { certificate, ca } = issued;
  if (!ca.ca) return 'The site CA is no CA certificate';
  if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) return 'The certificate is for another key';
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) {
    return 'The certificate was not issued by the site CA';
  }
  return undefined;
}

/**
 * Two thirds into its life: the last third is for outages of the appliance. Its life begins when it came: appliances
 * without a trusted clock date certificates back by years. A time of coming outside the validity tells nothing.
 */
export function renewalDueMs({ validFromDate, validToDate }: X509Certificate, certifiedAtMs: number): number {
  const notAfterMs = validToDate.getTime();
  const fromMs = validFromDate.getTime();
  const beganMs = certifiedAtMs >= fromMs && certifiedAtMs < notAfterMs ? certifiedAtMs : fromMs;
  return beganMs + Math.floor(((notAfterMs - beganMs) * 2) / 3);
}
