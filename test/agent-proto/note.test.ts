import { rawPublicKey } from '@sitewarden/agent-proto/keys';
import {
  encodeVkey,
  keyHash,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  NOTE_KEY_TYPES,
  parseNote,
  parseVkey,
  signNote,
  verifierOf,
  verifyNote,
  verifyNoteAsync,
} from '@sitewarden/agent-proto/note';
import fc from 'fast-check';
import t from 'tap';
import vectors from '../../agent-proto/fixtures/vectors/signed-note.json' with { type: 'json' };
import { testKey } from './keys-fixture.ts';

const alice = testKey(1);
const bob = testKey(2);
const known = verifierOf({ name: 'alice', publicKey: alice.raw });
const signed = (text: string, name = 'alice') => signNote(text, { name, privateKey: alice.privateKey });

for (const { name, vkey, text, signatures } of vectors.notes) {
  const note = `${text}\n${signatures}`;

  t.test(`the published note of ${name} verifies`, async (t) => {
    const verifier = parseVkey(vkey);
    const expected = { text, verified: [{ name, keyHash: verifier.keyHash, type: 1 }], unknown: [] };
    t.strictSame(verifyNote(note, [verifier]), expected);
    t.strictSame(verifyNote(Buffer.from(note), [verifier]), expected);
    t.strictSame(await verifyNoteAsync(note, [verifier]), expected);
    t.equal(encodeVkey(verifier), vkey);
    t.equal(rawPublicKey(verifier.key), verifier.publicKey);
  });

  t.test(`the published note of ${name} fails with a letter changed`, async (t) => {
    const verifier = parseVkey(vkey);
    for (const at of [0, text.length - 2]) {
      const changed = `${text.slice(0, at)}#${text.slice(at + 1)}\n${signatures}`;
      t.throws(() => verifyNote(changed, [verifier]), { code: 'NOTE_SIGNATURE' });
      await t.rejects(verifyNoteAsync(changed, [verifier]), { code: 'NOTE_SIGNATURE' });
    }
  });

  t.test(`the vkey of ${name} is refused when cut or changed anywhere`, async (t) => {
    for (let i = 0; i < vkey.length; i += 1) {
      const isRefused = (text: string) => {
        try {
          return parseVkey(text) === undefined;
        } catch (error) {
          return ['VKEY_FORMAT', 'KEY_FORMAT'].includes((error as { code: string }).code);
        }
      };
      const changed = vkey.slice(0, i) + String.fromCharCode(vkey.charCodeAt(i) + 1) + vkey.slice(i + 1);
      if (!isRefused(changed)) t.fail(changed);
      if (!isRefused(vkey.slice(0, i))) t.fail(vkey.slice(0, i));
      if (i > 0 && !isRefused(vkey.slice(i))) t.fail(vkey.slice(i));
    }
  });
}

t.test('a vkey of another key type is refused', async (t) => {
  const material = Buffer.concat([Buffer.from([0x02]), Buffer.from(alice.raw, 'base64url')]).toString('base64');
  t.throws(() => parseVkey(`alice+00000000+${material}`), { code: 'VKEY_FORMAT' });
  t.throws(() => parseVkey('alice'), { code: 'VKEY_FORMAT' });
  t.throws(() => parseVkey(`${encodeVkey({ name: 'alice', publicKey: alice.raw })}\n`), { code: 'VKEY_FORMAT' });
});

t.test('the key hash depends on name, type and key', async (t) => {
  const hashes = [
    keyHash('alice', NOTE_KEY_TYPES.ed25519, alice.raw),
    keyHash('alicf', NOTE_KEY_TYPES.ed25519, alice.raw),
    keyHash('alice', NOTE_KEY_TYPES.cosignature, alice.raw),
    keyHash('alice', NOTE_KEY_TYPES.ed25519, bob.raw),
  ];
  t.equal(new Set(hashes).size, 4);
});

t.test('the text ends at the last empty line', async (t) => {
  const text = 'one\n\ntwo\n\n';
  const { text: parsed, signatures } = parseNote(signed(text));
  t.equal(parsed, text);
  t.equal(signatures.length, 1);
  t.equal(verifyNote(signed(text), [known]).text, text);
});

t.test('signatures of unknown keys are handed back unjudged', async (t) => {
  const other = signNote('x\n', { name: 'bob', privateKey: bob.privateKey }).slice('x\n\n'.length);
  const samename = signNote('x\n', { name: 'alice', privateKey: bob.privateKey }).slice('x\n\n'.length);
  const { verified, unknown } = verifyNote(signed('x\n') + other + samename, [known]);
  t.same(
    verified.map(({ name }) => name),
    ['alice'],
  );
  t.same(
    unknown.map(({ name }) => name),
    ['bob', 'alice'],
  );
});

t.test('a known key whose signature fails spoils the note, even beside a good one', async (t) => {
  const forged = signed('y\n').slice('y\n\n'.length);
  t.throws(() => verifyNote(signed('x\n') + forged, [known]), { code: 'NOTE_SIGNATURE' });
  await t.rejects(verifyNoteAsync(signed('x\n') + forged, [known]), { code: 'NOTE_SIGNATURE' });
});

t.test('a note nobody known has signed is refused', async (t) => {
  t.throws(() => verifyNote(signed('x\n'), []), { code: 'NOTE_SIGNATURE' });
  t.throws(() => verifyNote(signed('x\n'), [verifierOf({ name: 'bob', publicKey: bob.raw })]), {
    code: 'NOTE_SIGNATURE',
  });
});

t.test('a key that signed twice counts once', async (t) => {
  const line = signed('x\n').slice('x\n\n'.length);
  t.equal(verifyNote(signed('x\n') + line + line, [known]).verified.length, 1);
});

const line = signed('x\n').slice('x\n\n'.length);
const malformed: [string, string | Buffer][] = [
  ['no bytes', ''],
  ['only text', 'x\n'],
  ['no signature', 'x\n\n'],
  ['no empty line', `x\n${line}`],
  ['no last newline', `x\n\n${line.slice(0, -1)}`],
  ['a carriage return', `x\r\n\n${line}`],
  ['a tab', `x\ty\n\n${line}`],
  ['a NUL', `\u0000x\n\n${line}`],
  ['bad UTF-8', Buffer.concat([Buffer.from([0xff]), Buffer.from(`x\n\n${line}`)])],
  ['a lone surrogate', `x\ud800\n\n${line}`],
  ['a stray line', `x\n\n${line}stray\n`],
  ['a hyphen for the dash', `x\n\n${line.replace('\u2014', '-')}`],
  ['two spaces', `x\n\n${line.replace(' alice ', '  alice ')}`],
  ['a trailing space', `x\n\n${line.replace('\n', ' \n')}`],
  ['a name with a space', `x\n\n${line.replace('alice', 'al ice')}`],
  ['a name with a no-break space', `x\n\n${line.replace('alice', 'al\u00a0ice')}`],
  ['a name with a plus', `x\n\n${line.replace('alice', 'al+ice')}`],
  ['a signature that is only a key id', 'x\n\n\u2014 alice AAAAAA==\n'],
  ['loose base64', 'x\n\n\u2014 alice AAAAAAB=\n'],
  ['base64url', 'x\n\n\u2014 alice AAAAAA-_\n'],
];

for (const [name, note] of malformed) {
  t.test(`a note with ${name} is refused`, async (t) => {
    t.throws(() => parseNote(note), { code: 'NOTE_FORMAT' });
    t.throws(() => verifyNote(note, [known]), { code: 'NOTE_FORMAT' });
  });
}

t.test('signatures and size have a cap', async (t) => {
  t.equal(parseNote(`x\n\n${line.repeat(MAX_NOTE_SIGNATURES)}`).signatures.length, MAX_NOTE_SIGNATURES);
  t.throws(() => parseNote(`x\n\n${line.repeat(MAX_NOTE_SIGNATURES + 1)}`), { code: 'NOTE_FORMAT' });
  const room = MAX_NOTE_BYTES - Buffer.byteLength(`\n\n${line}`);
  t.doesNotThrow(() => parseNote(`${'x'.repeat(room)}\n\n${line}`));
  t.throws(() => parseNote(`${'x'.repeat(room + 1)}\n\n${line}`), { code: 'NOTE_FORMAT' });
  t.throws(() => parseNote(Buffer.from(`${'x'.repeat(room + 1)}\n\n${line}`)), { code: 'NOTE_FORMAT' });
  t.throws(() => parseNote(`${'é'.repeat(room / 2 + 1)}\n\n${line}`), { code: 'NOTE_FORMAT' });
});

t.test('what cannot be a note is never signed', async (t) => {
  for (const text of ['', 'x', 'x\ty\n', 'x\ud800\n']) t.throws(() => signed(text), { code: 'NOTE_FORMAT' }, text);
  for (const name of ['', 'a b', 'a+b', 'a\nb', 'a'.repeat(256)]) {
    t.throws(() => signed('x\n', name), { code: 'NOTE_FORMAT' }, name);
    t.throws(() => encodeVkey({ name, publicKey: alice.raw }), { code: 'NOTE_FORMAT' }, name);
  }
});

t.test('every text that can be signed comes back verified', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 }).map((raw) => `${raw.replace(/\p{Cc}/gu, '\n')}\n`);
  fc.assert(
    fc.property(text, (body) => verifyNote(Buffer.from(signed(body)), [known]).text === body),
    { numRuns: 100 },
  );
});

t.test('damage to any byte is refused or leaves no known signer', async () => {
  const note = Buffer.from(signed('origin\n5\nroot\n'));
  fc.assert(
    fc.property(fc.nat(note.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const damaged = Buffer.from(note);
      damaged[at] = damaged[at]! ^ mask;
      try {
        verifyNote(damaged, [known]);
        return false;
      } catch (error) {
        return ['NOTE_FORMAT', 'NOTE_SIGNATURE'].includes((error as { code: string }).code);
      }
    }),
    { numRuns: 800 },
  );
});
