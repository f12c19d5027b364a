import { encodeBase32, isId, newId } from '@sitewarden/kit/ids';
import fc from 'fast-check';
import t from 'tap';

t.test('a new id is its prefix and 26 characters of a-z2-7, and is known again', async (t) => {
  const ids = new Set(Array.from({ length: 1000 }, () => newId('apl')));
  t.equal(ids.size, 1000);
  for (const id of ids) {
    t.match(id, /^apl_[a-z2-7]{26}$/);
    if (!isId('apl', id)) t.fail(id);
  }
});

t.test('what is no id of that kind is refused', async (t) => {
  const id = newId('apl');
  t.notOk(isId('site', id));
  t.notOk(isId('apl', id.toUpperCase()));
  t.notOk(isId('apl', `${id}a`));
  t.notOk(isId('apl', `${id.slice(0, -1)}b`), 'the last character has two bits that are always zero');
  t.notOk(isId('apl', `${id.slice(0, -1)}\n`));
  t.notOk(isId('apl', undefined));
  t.notOk(isId('apl', { length: id.length }));
});

t.test('base32 agrees with RFC 4648 and with the bits', async (t) => {
  const vectors = {
    '': '',
    f: 'my',
    fo: 'mzxq',
    foo: 'mzxw6',
    foob: 'mzxw6yq',
    fooba: 'mzxw6ytb',
    foobar: 'mzxw6ytboi',
  };
  for (const [text, expected] of Object.entries(vectors)) t.equal(encodeBase32(Buffer.from(text)), expected);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const bits = [...encodeBase32(bytes)].map((c) =>
        'abcdefghijklmnopqrstuvwxyz234567'.indexOf(c).toString(2).padStart(5, '0'),
      );
      const expected = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
      return (
        bits.join('').slice(0, expected.length) === expected && !bits.join('').slice(expected.length).includes('1')
      );
    }),
  );
});
