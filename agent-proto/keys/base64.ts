/**
 * Node's base64 decoder is lenient (it skips what it does not know and takes either alphabet), so the only proof
 * that a text is THE encoding of its bytes is encoding them again.
 */

/** Bytes of canonical, padded, standard base64, or undefined when `text` is anything else. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Bytes of canonical, unpadded base64url, or undefined when `text` is anything else. */
export function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
