import { canonicalBytes, MAX_DEPTH, parseCanonical } from '@sitewarden/agent-proto/canonical';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import t from 'tap';
import vectors from '../../agent-proto/fixtures/vectors/rfc8785.json' with { type: 'json' };

const text = (value: unknown) => Buffer.from(canonicalBytes(value)).toString('utf8');

/** Any value of the profile, with awkward keys and strings. */
const awkward = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '',
    '__proto__',
    'toJSON',
    'constructor',
    '10',
    '9',
    '\u20ac',
    '\u{1f600}',
    '\ufb33',
    '\u0000',
    '"\\',
  ),
);
const { value: profile } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n)),
    awkward,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(awkward, tie('value')), { maxLength: 5 }).map((entries) => {
      const object: Record<string, unknown> = Object.create(null);
      for (const [key, member] of entries) object[key] = member;
      return object;
    }),
  ),
}));

for (const vector of vectors.canonical) {
  t.test(`RFC 8785 ${vector.name}`, async (t) => {
    const value = JSON.parse(vector.input);
    if (vector.utf8) t.equal(Buffer.from(canonicalBytes(value)).toString('hex'), vector.utf8);
    if (vector.order)
      t.same(
        [...text(value).matchAll(/:"([^"]*)"/g)].map((match) => match[1]),
        vector.order,
      );
    t.strictSame(parseCanonical(canonicalBytes(value)), value);
  });
}

for (const { ieee754, json, inProfile } of vectors.numbers) {
  t.test(`RFC 8785 appendix B ${ieee754} is ${inProfile ? 'in' : 'outside'} the profile`, async (t) => {
    const number = Buffer.from(ieee754, 'hex').readDoubleBE();
    t.equal(JSON.stringify(number), json, 'the vector itself');
    if (inProfile) t.equal(text(number), json);
    else t.throws(() => canonicalBytes(number), { code: 'CANONICAL_VALUE' });
  });
}

t.test(
  'every value of the profile has the bytes the reference package gives, and survives the round trip',
  async () => {
    fc.assert(
      fc.property(profile, (value) => {
        const bytes = canonicalBytes(value);
        return (
          Buffer.from(bytes).toString('utf8') === canonicalize(value) &&
          Buffer.from(canonicalBytes(parseCanonical(bytes))).equals(bytes)
        );
      }),
      { numRuns: 500 },
    );
  },
);

t.test('member order of the input does not reach the bytes', async () => {
  const entries = fc.uniqueArray(fc.tuple(fc.string(), fc.integer()), { selector: ([key]) => key, maxLength: 12 });
  const shuffled = entries.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  );
  fc.assert(
    fc.property(shuffled, ([one, other]) => text(Object.fromEntries(one)) === text(Object.fromEntries(other))),
    { numRuns: 300 },
  );
});

class Plainish {
  a = 1;
}

const outside: [string, unknown][] = [
  ['undefined', undefined],
  ['an undefined member', { a: undefined }],
  ['a hole', new Array(1)],
  ['an array with a name', Object.assign([1], { extra: 2 })],
  ['a symbol member', { [Symbol('s')]: 1 }],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
  ['a bigint', 1n],
  ['a float', 0.5],
  ['minus zero', -0],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['2^53', 2 ** 53],
  ['-2^53', -(2 ** 53)],
  ['a date', new Date(0)],
  ['a map', new Map()],
  ['bytes', new Uint8Array(2)],
  ['a class instance', new Plainish()],
  ['a boxed string', Object('text')],
  ['a toJSON method', { toJSON: () => 'other' }],
  ['a toJSON method on an array', Object.assign([], { toJSON: () => 'other' })],
  ['a lone surrogate', 'a\ud800'],
  ['a lone surrogate in a member name', { 'a\udc00': 1 }],
  ['an array subclass', new (class extends Array {})()],
];

for (const [name, value] of outside) {
  t.test(`${name} is refused, also deep inside`, async (t) => {
    t.throws(() => canonicalBytes(value), { code: 'CANONICAL_VALUE' });
    t.throws(() => canonicalBytes({ list: [1, { inner: value }] }), {
      code: 'CANONICAL_VALUE',
      message: /list\[1\]\.inner/,
    });
  });
}

t.test('a getter is read once, so it cannot show two faces', async (t) => {
  let reads = 0;
  const twoFaced = {
    get amount() {
      reads += 1;
      return reads === 1 ? 1 : 0.5;
    },
  };
  t.equal(text(twoFaced), '{"amount":1}');
  t.equal(reads, 1);
});

t.test('nesting has a limit, and a cycle meets it', async (t) => {
  const nest = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  t.doesNotThrow(() => canonicalBytes(nest(MAX_DEPTH)));
  t.throws(() => canonicalBytes(nest(MAX_DEPTH + 2)), { code: 'CANONICAL_VALUE' });
  t.throws(() => parseCanonical(Buffer.from('['.repeat(20_000) + ']'.repeat(20_000))), { code: 'CANONICAL_VALUE' });
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  t.throws(() => canonicalBytes(loop), { code: 'CANONICAL_VALUE' });
});

const notCanonical: [string, string | Buffer][] = [
  ['a space', '{"a": 1}'],
  ['a trailing newline', '{"a":1}\n'],
  ['a trailing space', '1 '],
  ['a leading BOM', '\ufeff{"a":1}'],
  ['members out of order', '{"b":1,"a":2}'],
  ['members in code point order', '{"\ufb33":1,"\u{1f600}":2}'],
  ['a repeated member', '{"a":1,"a":1}'],
  ['an escape nobody needs', '"\\u0061"'],
  ['an escaped slash', '"\\/"'],
  ['an upper-case escape', '"\\u000F"'],
  ['a float that is whole', '1.0'],
  ['an exponent', '1e2'],
  ['no bytes', ''],
  ['two values', '1 2'],
  ['bad UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
  ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
];

for (const [name, bytes] of notCanonical) {
  t.test(`parsing refuses ${name}`, async (t) => {
    t.throws(() => parseCanonical(Buffer.from(bytes as string)), { code: 'CANONICAL_FORM' });
  });
}

t.test('parsing refuses what the profile does not hold', async (t) => {
  for (const json of ['-0', '0.5', '1e400', '9007199254740992', '"\\ud800"']) {
    t.throws(() => parseCanonical(Buffer.from(json)), { code: 'CANONICAL_VALUE' }, json);
  }
});

t.test('a member named __proto__ stays data', async (t) => {
  const bytes = Buffer.from('{"__proto__":{"admin":true}}');
  const value = parseCanonical(bytes) as Record<string, unknown>;
  t.same(Object.keys(value), ['__proto__']);
  t.equal(value.admin, undefined);
  t.same(Buffer.from(canonicalBytes(value)), bytes);
});

t.test('any damage to canonical bytes is refused or means something else', async () => {
  fc.assert(
    fc.property(profile, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, mask) => {
      const bytes = Buffer.from(canonicalBytes(value));
      const damaged = Buffer.from(bytes);
      damaged[at % bytes.length] = damaged[at % bytes.length]! ^ mask;
      try {
        return Buffer.from(canonicalBytes(parseCanonical(damaged))).equals(damaged);
      } catch (error) {
        return ['CANONICAL_FORM', 'CANONICAL_VALUE'].includes((error as { code: string }).code);
      }
    }),
    { numRuns: 1000 },
  );
});
