import { decodeOutput, runTool } from '@sitewarden/kit/exec';
import fc from 'fast-check';
import t from 'tap';

const node = process.execPath;
const write = (hex: string): [string, string, string] => [
  node,
  '-e',
  `process.stdout.write(Buffer.from('${hex}', 'hex'))`,
];

t.test('a tool that writes UTF-16, with a mark or without, is read as text', async (t) => {
  const text = 'Name=Überwachung\r\r\nState=Running\r\r\n';
  const bare = Buffer.from(text, 'utf16le');
  for (const bytes of [bare, Buffer.concat([Buffer.from('fffe', 'hex'), bare])]) {
    const result = await runTool(write(bytes.toString('hex')), { encoding: 'detect' });
    t.equal(result.stdout, text);
  }
});

t.test('UTF-8 stays what it is, and its mark goes', async (t) => {
  for (const text of ['plain\n', 'größer 日本\n', '']) {
    t.equal(decodeOutput(Buffer.from(text), 'detect'), text);
    t.equal(decodeOutput(Buffer.from(`\ufeff${text}`), 'detect'), text);
  }
  const raw = Buffer.from('a\0b\0', 'latin1');
  t.equal(decodeOutput(raw, 'utf8'), 'a\0b\0', 'nobody asked to guess');
});

t.test('pieces of the output come while the tool runs', async (t) => {
  const seen: string[] = [];
  const script =
    'process.stdout.write("one\\n"); process.stdin.once("data", () => { console.log("two"); process.exit(0); })';
  const pending = runTool([node, '-e', script], {
    input: 'go',
    onOutput: (chunk) => seen.push(chunk.toString()),
  });
  const result = await pending;
  t.equal(seen.join(''), result.stdout);
  t.equal(result.stdout, 'one\ntwo\n');
});

t.test('any bytes decode to some text', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      (bytes) => typeof decodeOutput(Buffer.from(bytes), 'detect') === 'string',
    ),
  );
  t.pass();
});

t.test('ASCII text in UTF-16 comes back whole', async (t) => {
  fc.assert(
    fc.property(fc.string({ minLength: 2, unit: 'binary-ascii' }), (text) => {
      if (text.includes('\0')) return true;
      return decodeOutput(Buffer.from(text, 'utf16le'), 'detect') === text;
    }),
  );
  t.pass();
});
