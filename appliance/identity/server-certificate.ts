import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { type KeyFolder, readKeyText, writeKeyText } from './key-files.ts';
import type { ServerNames, SiteCa } from './site-ca.ts';
import { P256 } from './x509.ts';

/** The name agents expect, whatever address they connect to. */
export const SERVER_NAME = 'appliance.sitewarden.internal';

const DAY_MS = 86_400_000;
const VALID_MS = 730 * DAY_MS;
const RENEW_BELOW_MS = 365 * DAY_MS;

export interface ServerTls {
  readonly keyPem: string;
  readonly certificatePem: string;
}

/** Key and certificate in one file: one rename replaces both. */
const FILE = 'server.pem';

/** Every name this box answers to now: addresses come and go with the network. */
export function serverNames(configured: readonly string[]): ServerNames {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.includes('%') && !address.startsWith('fe80:'))
    .map(({ address }) => address);
  const host = hostname().toLowerCase();
  const all = [SERVER_NAME, 'localhost', host, `${host.split('.')[0]}.local`, ...configured];
  const isDns = (name: string) => isIP(name) === 0 && /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name);
  return {
    dns: [...new Set(all.filter(isDns))],
    ip: [...new Set(['127.0.0.1', '::1', ...addresses, ...configured.filter((name) => isIP(name) !== 0)])],
  };
}

/**
 * The certificate in use, or a new one with a new key when it is not of this CA, lacks a name, or has less than a year
 * left. One that outlives two years by far was made under a wrong clock and is replaced too.
 */
export async function ensureServerTls(
  folder: KeyFolder,
  { ca, names, nowMs }: { ca: SiteCa; names: ServerNames; nowMs: number },
): Promise<{ tls: ServerTls; isNew: boolean }> {
  const file = { ...folder, name: FILE };
  const known = splitPem(await readServerKey(folder));
  if (known !== undefined && isGood(known, { ca, names, nowMs })) return { tls: known, isNew: false };
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const tls = {
    keyPem: key.export({ format: 'pem', type: 'pkcs8' }) as string,
    certificatePem: `${await ca.issueForServer({ publicKey, names, notAfter: new Date(nowMs + VALID_MS) })}\n`,
  };
  await writeKeyText(file, tls.keyPem + tls.certificatePem);
  return { tls, isNew: true };
}

/** A server key is worth nothing: whatever is wrong with the file, a new one takes its place. */
export const readServerKey = (folder: KeyFolder): Promise<string | undefined> =>
  readKeyText({ ...folder, name: FILE }).catch(() => undefined);

function splitPem(text: string | undefined): ServerTls | undefined {
  const at = text?.indexOf('-----BEGIN CERTIFICATE-----') ?? -1;
  if (text === undefined || at < 0) return undefined;
  return { keyPem: text.slice(0, at), certificatePem: text.slice(at) };
}

function isGood(tls: ServerTls, { ca, names, nowMs }: { ca: SiteCa; names: ServerNames; nowMs: number }): boolean {
  try {
    const certificate = new X509Certificate(tls.certificatePem);
    const leftMs = certificate.validToDate.getTime() - nowMs;
    return (
      certificate.verify(ca.certificate.publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(tls.keyPem)) &&
      leftMs > RENEW_BELOW_MS &&
      leftMs <= VALID_MS + DAY_MS &&
      names.dns.every((name) => certificate.checkHost(name, { subject: 'never' }) !== undefined) &&
      names.ip.every((address) => certificate.checkIP(address) !== undefined)
    );
  } catch {
    return false;
  }
}
