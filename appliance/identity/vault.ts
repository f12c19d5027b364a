import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** What stands between the key files and their content. */
export interface Vault {
  /** Opens sealed files, 32 bytes; undefined: the files are plain. */
  readonly key: Buffer | undefined;
  /** Whether files are to be sealed. Without it sealed ones are still opened, and written back plain. */
  readonly isSealing: boolean;
}

export const PLAIN_VAULT: Vault = { key: undefined, isSealing: false };

const HEAD = 'sitewarden-sealed-v1';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = new RegExp(`^${HEAD} ([A-Za-z0-9_-]+) ([A-Za-z0-9_-]+)\\n$`);

export const isSealed = (stored: string): boolean => stored.startsWith(`${HEAD} `);

/** Whether a file of this content is already as the vault wants it. */
export const isAsWanted = (stored: string, { isSealing }: Vault): boolean => isSealed(stored) === isSealing;

/** `name` of the file is bound in, so that one key cannot stand in for another. */
export function toStored(name: string, text: string, { key, isSealing }: Vault): string {
  if (!isSealing || key === undefined) return text;
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${HEAD} ${nonce.toString('base64url')} ${sealed.toString('base64url')}\n`;
}

/** Throws when it is sealed and does not open under this key and name; neither is repeated in the error. */
export function fromStored(name: string, stored: string, { key }: Vault): string {
  if (!isSealed(stored)) return stored;
  const [, nonce, body] = SEALED.exec(stored) ?? [];
  if (key === undefined || nonce === undefined || body === undefined) throw new Error('it does not open');
  const bytes = Buffer.from(body, 'base64url');
  const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, 'base64url'), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(name))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
}
