import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { CheckResult, decodeReport, Report } from '@sitewarden/agent-proto/agent';
import fc from 'fast-check';
import t from 'tap';
import { sixResults } from '../helpers/agent-client.ts';

/** Result or the fact that it threw: which words a decoder uses is its own affair. */
function attempt(decode: (bytes: Uint8Array) => Report, bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch {
    return 'threw';
  }
}

t.test('a report reads as the generated decoder reads it', async (t) => {
  const bytes = Report.encode(sixResults(123)).finish();
  t.strictSame(decodeReport(bytes), Report.decode(bytes));
  t.strictSame(decodeReport(Buffer.from(bytes)), Report.decode(bytes), 'also the second time');
});

t.test(
  'what is said again at another time is read once, and then read as the generated decoder reads it',
  async (t) => {
    const time = fc.oneof(fc.constantFrom(0, 1, 127, 128, 2 ** 49), fc.nat(4e12));
    fc.assert(
      fc.property(time, time, fc.nat(2 ** 31 - 1), fc.nat(3), (first, second, durationMs, facts) => {
        const said = { ...sixResults(1).results[2]!, durationMs, subject: `${facts}` };
        const bytesAt = (collectedAtMs: number) =>
          Report.encode({
            seq: 1,
            results: [{ ...said, collectedAtMs }],
            rmmFindings: [],
            orderId: '',
            rmmLooked: false,
          }).finish();
        for (const atMs of [first, second, first])
          t.strictSame(decodeReport(bytesAt(atMs)), Report.decode(bytesAt(atMs)));
      }),
      { numRuns: 300 },
    );
    const [one, other] = [1_790_000_000_000, 1_790_000_060_000].map((atMs) =>
      decodeReport(Report.encode(sixResults(1, atMs)).finish()),
    );
    for (const [i, { facts, controls, collectedAtMs }] of one!.results.entries()) {
      const again = other!.results[i]!;
      t.equal(again.facts, facts, 'not read anew');
      t.ok(Object.isFrozen(facts) && Object.isFrozen(controls), 'nobody changes what is shared');
      t.equal(again.collectedAtMs - collectedAtMs, 60_000);
    }
  },
);

t.test('a length that says too much is never taken for what was read before', async (t) => {
  const bodies = [
    // A fact's name claims the bytes of the time as its own.
    (time: number) => Uint8Array.of(0x0a, 0x01, 0x61, 0x42, 0x02, 0x0a, 0x04, 0x48, time, 0x50, 0x01),
    // A fact's value claims them, after an entry that ends where it says.
    (time: number) => Uint8Array.of(0x42, 0x07, 0x0a, 0x01, 0x61, 0x12, 0x05, 0x0a, 0x03, 0x48, time, 0x50, 0x01),
    (time: number) => Uint8Array.of(0x42, 0x07, 0x0a, 0x01, 0x61, 0x12, 0x04, 0x0a, 0x02, 0x48, time, 0x48, time),
  ];
  for (const body of bodies)
    for (const time of [5, 7, 5]) {
      const bytes = new BinaryWriter().uint32(8).int64(1).uint32(18).bytes(body(time)).finish();
      t.strictSame(
        attempt(decodeReport, bytes),
        attempt((input) => Report.decode(input), bytes),
      );
    }
});

t.test('whatever the order and number of the fields, alone and after others', async (t) => {
  const result = CheckResult.encode(sixResults(1).results[3]!).finish();
  const fields: Uint8Array[] = [];
  const reader = new BinaryReader(result);
  while (reader.pos < reader.len) {
    const from = reader.pos;
    reader.skip(reader.uint32() & 7);
    fields.push(result.subarray(from, reader.pos));
  }
  const odd = fc.constantFrom(
    Uint8Array.of(0x48, 0x00),
    Uint8Array.of(0x48, 0x05),
    Uint8Array.of(0x50, 0x00),
    Uint8Array.of(0x50, 0x85, 0x00),
    Uint8Array.of(0x50, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
    Uint8Array.of(0x42, 0x04, 0x0a, 0x05, 0x61, 0x62),
    Uint8Array.of(0x62, 0x01, 0x00),
    Uint8Array.of(0x8a, 0x00, 0x01, 0x61),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...fields), odd), { maxLength: 20 }), (parts) => {
      const body = Buffer.concat(parts);
      const head = new BinaryWriter().uint32(8).int64(9).uint32(18).bytes(body).finish();
      t.strictSame(
        attempt(decodeReport, head),
        attempt((input) => Report.decode(input), head),
      );
      const moved = Buffer.from(head);
      const at = moved.indexOf(0x48, 4);
      if (at > 0 && at + 1 < moved.length) moved[at + 1] = (moved[at + 1]! & 0x80) | 0x11;
      t.strictSame(
        attempt(decodeReport, moved),
        attempt((input) => Report.decode(input), moved),
      );
    }),
    { numRuns: 500 },
  );
});

t.test('texts of every length and alphabet, numbers of every size', async (t) => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 90 }), fc.constantFrom('', '\uFEFFa', 'é', '\u{1F600}'));
  const number = fc.oneof(
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    fc.integer({ min: Number.MIN_SAFE_INTEGER, max: 0 }),
    fc.constantFrom(0, 127, 128, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 1),
  );
  fc.assert(
    fc.property(text, text, number, number, (a, b, n, m) => {
      const report = sixResults(Math.abs(n) + 1 > Number.MAX_SAFE_INTEGER ? 1 : Math.abs(n) + 1);
      Object.assign(report.results[0]!, { subject: a.toWellFormed(), reason: b.toWellFormed(), collectedAtMs: n });
      report.results[1]!.facts = { [a.toWellFormed()]: { kind: { $case: 'integer', value: m } } };
      const bytes = Report.encode(report).finish();
      t.strictSame(decodeReport(bytes), Report.decode(bytes));
    }),
    { numRuns: 200 },
  );
});

t.test('damaged bytes are read or refused alike', async (t) => {
  const whole = Report.encode(sixResults(7)).finish();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.nat(whole.length),
      (changes, length) => {
        const bytes = whole.slice(0, length);
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        t.strictSame(
          attempt(decodeReport, bytes),
          attempt((input) => Report.decode(input), bytes),
        );
      },
    ),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
      t.strictSame(
        attempt(decodeReport, bytes),
        attempt((input) => Report.decode(input), bytes),
      ),
    ),
  );
});
