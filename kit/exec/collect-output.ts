import type { Readable } from 'node:stream';
import { decodeOutput, type OutputEncoding } from './decode-output.ts';

export interface CollectedOutput {
  text(): string;
  /** Bytes seen, kept or not. */
  bytes(): number;
  isTruncated(): boolean;
}

/** Keeps the first `maxBytes`; the rest is read and dropped, so that the writer is never blocked. */
export function collectOutput(stream: Readable, maxBytes: number, encoding: OutputEncoding = 'utf8'): CollectedOutput {
  const chunks: Buffer[] = [];
  let seen = 0;
  stream.on('data', (chunk: Buffer) => {
    const room = maxBytes - seen;
    seen += chunk.length;
    if (room > 0) chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
  });
  stream.on('error', () => {});
  return {
    text: () => decodeOutput(Buffer.concat(chunks), encoding),
    bytes: () => seen,
    isTruncated: () => seen > maxBytes,
  };
}
