import { getRawAsset, isSea } from 'node:sea';

/** As scripts/package-agent names it. */
const ASSET = 'publisher-key';

/**
 * Raw Ed25519, base64url: whose installers this agent believes. It came with the program itself, so nothing the appliance
 * says can change it. Undefined from sources, and in a program that was built without one.
 */
export function publisherKey(): string | undefined {
  if (!isSea()) return undefined;
  try {
    return Buffer.from(getRawAsset(ASSET) as ArrayBuffer).toString('utf8');
  } catch {
    return undefined;
  }
}

/** As the manifest names this machine; undefined where no one-file agent is made. */
export function targetOf(platform: NodeJS.Platform, arch: string): string | undefined {
  const family = { win32: 'win', linux: 'linux' }[platform as string];
  return family === undefined ? undefined : `${family}-${arch}`;
}
