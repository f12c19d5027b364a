import nacl from 'tweetnacl';
import { type KeyFolder, loadOrMake } from './key-files.ts';

/** `seal`: X25519, for secrets sent to this box. */
export interface SealKey {
  /** Raw 32 bytes, base64url. */
  readonly publicKey: string;
  /** The plain bytes of a `nacl.box` made for this box, or undefined when it was not. */
  open(box: { ciphertext: Uint8Array; nonce: Uint8Array; senderPublicKey: Uint8Array }): Uint8Array | undefined;
}

export async function loadSealKey(folder: KeyFolder): Promise<SealKey> {
  const { publicKey, secretKey } = await loadOrMake({
    ...folder,
    name: 'seal.key',
    make: () => `${Buffer.from(nacl.box.keyPair().secretKey).toString('base64url')}\n`,
    parse: (text) => nacl.box.keyPair.fromSecretKey(Buffer.from(text.trim(), 'base64url')),
  });
  return {
    publicKey: Buffer.from(publicKey).toString('base64url'),
    open: ({ ciphertext, nonce, senderPublicKey }) =>
      nacl.box.open(ciphertext, nonce, senderPublicKey, secretKey) ?? undefined,
  };
}
