/** `detect`: UTF-16 when the bytes look like it, else UTF-8. Programs of Windows write either, with a mark or without. */
export type OutputEncoding = 'utf8' | 'detect';

/** So many bytes are looked at to tell UTF-16 without a mark. */
const SAMPLE_BYTES = 512;

export function decodeOutput(bytes: Buffer, encoding: OutputEncoding): string {
  if (encoding === 'utf8') return bytes.toString('utf8');
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'fffe') return bytes.toString('utf16le', 2);
  if (bytes.subarray(0, 3).toString('hex') === 'efbbbf') return bytes.toString('utf8', 3);
  return looksLikeUtf16(bytes) ? bytes.toString('utf16le') : bytes.toString('utf8');
}

/** Names and numbers are ASCII, so that in UTF-16 most of the second bytes are zero; in anything else no byte is. */
function looksLikeUtf16(bytes: Buffer): boolean {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  let zeros = 0;
  for (let at = 1; at < sample.length; at += 2) if (sample[at] === 0) zeros++;
  return sample.length >= 4 && zeros * 4 > sample.length;
}
