import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { unpackWoff } from '../../../relay/lib/woff.ts';

const file = fileURLToPath(import.meta.resolve('@fontsource/noto-sans/files/noto-sans-latin-400-normal.woff'));

/** As OpenType sums a table: its 32-bit words, the rest filled with zeros. */
function checksum(table: Buffer): number {
  const padded = Buffer.concat([table, Buffer.alloc(-table.length & 3)]);
  let sum = 0;
  for (let at = 0; at < padded.length; at += 4) sum = (sum + padded.readUInt32BE(at)) >>> 0;
  return sum;
}

t.test('a font is unpacked to tables that have the checksums it names', async (t) => {
  const font = unpackWoff(await readFile(file));
  const count = font.readUInt16BE(4);
  const tags: string[] = [];
  for (let entry = 12; entry < 12 + count * 16; entry += 16) {
    const tag = font.toString('latin1', entry, entry + 4);
    const [sum, at, length] = [4, 8, 12].map((field) => font.readUInt32BE(entry + field)) as [number, number, number];
    const table = Buffer.from(font.subarray(at, at + length));
    // The checksum of the header is taken with its own adjustment left out.
    if (tag === 'head') table.writeUInt32BE(0, 8);
    t.equal(checksum(table), sum, tag);
    tags.push(tag);
  }
  for (const tag of ['cmap', 'glyf', 'head', 'loca']) t.ok(tags.includes(tag), tag);
});

t.test('what is no font is refused, cut or changed at any place, and nothing hangs', async (t) => {
  const woff = await readFile(file);
  t.throws(() => unpackWoff(Buffer.from('not a font')), TypeError);
  t.throws(() => unpackWoff(woff.subarray(0, woff.length / 2)));
  const runs = fc.property(fc.nat(woff.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
    const changed = Buffer.from(woff);
    changed[at] = byte;
    try {
      return unpackWoff(changed).length < 10_000_000;
    } catch (error) {
      return error instanceof Error;
    }
  });
  t.doesNotThrow(() => fc.assert(runs, { numRuns: 200 }));
});
