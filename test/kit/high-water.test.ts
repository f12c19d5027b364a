import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openHighWaterMark } from '@sitewarden/kit/files';
import fc from 'fast-check';
import t from 'tap';

const reread = (path: string) => {
  const mark = openHighWaterMark(path);
  mark.close();
  return mark.value;
};

t.test('a new mark is 0 and keeps the greatest value over restarts', async (t) => {
  const path = join(t.testdir(), 'mark');
  t.equal(reread(path), 0);
  const mark = openHighWaterMark(path);
  for (const value of [5, 3, 9, 8, 10]) mark.raise(value);
  t.equal(mark.value, 10);
  mark.close();
  t.equal(reread(path), 10);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(path).size, 32);
});

t.test('a torn write loses one step at most and never raises the mark', async (t) => {
  const path = join(t.testdir(), 'mark');
  const mark = openHighWaterMark(path);
  for (let value = 1000; value < 1010; value++) mark.raise(value);
  mark.close();
  const whole = readFileSync(path);
  for (const slot of [0, 16]) {
    for (let i = 0; i < 16; i++) {
      const torn = Buffer.from(whole);
      torn[slot + i]! ^= 0x41;
      writeFileSync(path, torn);
      t.ok([1008, 1009].includes(reread(path)), `byte ${slot + i}`);
    }
  }
});

t.test('any bytes are read as some mark without a fault', async (t) => {
  const path = join(t.testdir(), 'mark');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), (bytes, to) => {
      writeFileSync(path, bytes);
      const mark = openHighWaterMark(path);
      mark.raise(to);
      mark.close();
      return reread(path) >= to;
    }),
    { numRuns: 50 },
  );
});
