import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Packed } from './package-agent.ts';

export interface ManifestOptions {
  readonly outDir: string;
  readonly version: string;
  readonly packed: readonly Packed[];
  /** PEM file of an Ed25519 private key kept for this alone. */
  readonly signKey: string | undefined;
}

/**
 * What a box reads to hand the files out: manifest.json, and with a key manifest.json.sig, base64 of the signature over
 * its bytes. The same files give the same manifest. Throws for a key of another kind.
 */
export async function writeManifest({ outDir, version, packed, signKey }: ManifestOptions): Promise<void> {
  const files = packed.map(({ target, file, bytes, sha256 }) => ({ target, file, bytes, sha256 }));
  const bytes = Buffer.from(`${JSON.stringify({ version, files }, undefined, 2)}\n`);
  const signature = signKey === undefined ? undefined : signWith(await readFile(signKey, 'utf8'), bytes);
  await writeFile(join(outDir, 'manifest.json'), bytes);
  // One of another manifest must not stay beside this one.
  if (signature === undefined) await rm(join(outDir, 'manifest.json.sig'), { force: true });
  else await writeFile(join(outDir, 'manifest.json.sig'), `${signature}\n`);
}

/** Raw, base64url: what an agent is built with that shall believe this key. */
export function publisherKeyOf(pem: string): string {
  return createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' }).x as string;
}

function signWith(pem: string, bytes: Buffer): string {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`the key to sign with is ${key.asymmetricKeyType}, not ed25519`);
  return sign(null, bytes, key).toString('base64');
}
