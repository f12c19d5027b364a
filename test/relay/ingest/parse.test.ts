import { OUTBOX_LIMITS } from '@sitewarden/agent-proto/http';
import fc from 'fast-check';
import t from 'tap';
import { relayErrors } from '../../../relay/errors.ts';
import { parseBatch } from '../../../relay/ingest/parse.ts';
import { outboxBody } from '../../helpers/sim-log.ts';

const body = (over: Partial<Parameters<typeof outboxBody>[0]> = {}) =>
  outboxBody({ lane: 'incidents', firstSeq: 1, rows: ['{"a":1}', '{"b":2}'], ...over });

t.test('rows are the exact bytes between the newlines', (t) => {
  const parsed = parseBatch(body({ firstSeq: 7, rows: ['{"a": 1 }', '\u00e9'] }));
  t.match(parsed, { lane: 'incidents', epoch: 1, firstSeq: 7 });
  t.same(
    parsed.rows.map((row) => row.toString('utf8')),
    ['{"a": 1 }', '\u00e9'],
  );
  const withoutLastNewline = body().subarray(0, -1);
  t.same(parseBatch(withoutLastNewline).rows, parseBatch(body()).rows);
  t.end();
});

t.test('what does not fit is refused with the field at fault', (t) => {
  const cases: [string, Buffer, { code: string; field?: string }][] = [
    ['empty', Buffer.alloc(0), { code: 'BODY_INVALID', field: '/' }],
    ['no header', Buffer.from('x\n'), { code: 'BODY_INVALID', field: '/' }],
    ['unknown lane', body({ lane: 'gossip' }), { code: 'BODY_INVALID', field: '/lane' }],
    ['fewer rows', body({ count: 3 }), { code: 'BODY_INVALID', field: '/count' }],
    ['more rows', body({ count: 1 }), { code: 'BODY_INVALID', field: '/count' }],
    ['too many', body({ count: OUTBOX_LIMITS.maxRows + 1 }), { code: 'BODY_INVALID', field: '/count' }],
    ['seq zero', body({ firstSeq: 0 }), { code: 'BODY_INVALID', field: '/firstSeq' }],
    ['seq beyond', body({ firstSeq: Number.MAX_SAFE_INTEGER }), { code: 'BODY_INVALID', field: '/firstSeq' }],
    ['an empty row', body({ rows: ['{}', ''] }), { code: 'BODY_INVALID', field: '/rows/1' }],
    [
      'a huge row',
      body({ rows: ['x'.repeat(OUTBOX_LIMITS.maxRowBytes + 1), '{}'] }),
      { code: 'BODY_TOO_LARGE', field: '/rows/0' },
    ],
    ['only newlines', Buffer.concat([body(), Buffer.alloc(100_000, '\n')]), { code: 'BODY_INVALID' }],
    ['a huge body', Buffer.alloc(OUTBOX_LIMITS.maxBodyBytes + 1), { code: 'BODY_TOO_LARGE' }],
  ];
  for (const [name, bytes, expected] of cases) t.throws(() => parseBatch(bytes), expected, name);
  t.end();
});

t.test('no bytes crash the parser', (t) => {
  const valid = body();
  const mutated = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    .map((changes) => {
      const copy = Buffer.from(valid);
      for (const [at, byte] of changes) copy[at] = byte;
      return copy;
    });
  const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(mutated, anything), (bytes) => {
      try {
        const batch = parseBatch(bytes);
        return batch.rows.length >= 1;
      } catch (error) {
        return relayErrors.is(error);
      }
    }),
    { numRuns: 3000 },
  );
  t.end();
});
