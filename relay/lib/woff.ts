import { inflateSync } from 'node:zlib';

const WOFF = { signature: 0x774f4646, headerBytes: 44, entryBytes: 20 } as const;
const SFNT = { headerBytes: 12, entryBytes: 16 } as const;

/** The font of a WOFF 1.0 file as it was before it was packed (W3C WOFF 1.0, section 4 and 5). Throws TypeError. */
export function unpackWoff(woff: Buffer): Buffer {
  if (woff.length < WOFF.headerBytes || woff.readUInt32BE(0) !== WOFF.signature) throw new TypeError('not a WOFF file');
  const count = woff.readUInt16BE(12);
  const head = Buffer.alloc(SFNT.headerBytes + count * SFNT.entryBytes);
  woff.copy(head, 0, 4, 8);
  head.writeUInt16BE(count, 4);
  // The next three fields help binary searches.
  const log = Math.floor(Math.log2(count));
  head.writeUInt16BE(16 * 2 ** log, 6);
  head.writeUInt16BE(log, 8);
  head.writeUInt16BE(16 * (count - 2 ** log), 10);
  const parts: Buffer[] = [head];
  let offset = head.length;
  for (let i = 0; i < count; i += 1) {
    const from = WOFF.headerBytes + i * WOFF.entryBytes;
    const [at, packedBytes, bytes] = [4, 8, 12].map((field) => woff.readUInt32BE(from + field)) as [
      number,
      number,
      number,
    ];
    const packed = woff.subarray(at, at + packedBytes);
    const table = packedBytes < bytes ? inflateSync(packed, { maxOutputLength: bytes }) : packed;
    if (table.length !== bytes) throw new TypeError(`table ${i} of the WOFF file is cut`);
    const to = SFNT.headerBytes + i * SFNT.entryBytes;
    woff.copy(head, to, from, from + 4);
    head.writeUInt32BE(woff.readUInt32BE(from + 16), to + 4);
    head.writeUInt32BE(offset, to + 8);
    head.writeUInt32BE(bytes, to + 12);
    parts.push(table, Buffer.alloc(-bytes & 3));
    offset += bytes + (-bytes & 3);
  }
  return Buffer.concat(parts);
}
