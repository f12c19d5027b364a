import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCodedError } from '@sitewarden/kit/errors';
import fc from 'fast-check';
import t from 'tap';
import { parseAddress } from '../../../agent/identity/address.ts';
import { parseTokenFile, readTokenFile } from '../../../agent/identity/token-file.ts';

const PIN = `sha256:${'0a'.repeat(32)}`;

t.test('a token file of the appliance is read whole', async (t) => {
  const text = JSON.stringify({ applianceAddress: 'box.lan:50051', token: 'abc', caFingerprint: PIN });
  t.strictSame(parseTokenFile(text), { token: 'abc', applianceAddress: 'box.lan:50051', caFingerprint: PIN });
  t.strictSame(parseTokenFile(`\uFEFF${text}\r\n`), parseTokenFile(text), 'as PowerShell pipes it');
});

t.test('each fault names its field and repeats no value', async (t) => {
  const cases: [object | string, string | undefined][] = [
    ['', undefined],
    ['[1]', undefined],
    [{ applianceAddress: 'box:1' }, 'token'],
    [{ token: 'canary-value'.repeat(100) }, 'token'],
    [{ token: 'canary-value', caFingerprint: 'AB:CD' }, 'caFingerprint'],
    [{ token: 'canary-value', applianceAddress: 'box' }, 'applianceAddress'],
    [{ token: 'canary-value', tokn: 1 }, 'tokn'],
  ];
  for (const [content, field] of cases) {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    try {
      parseTokenFile(text);
      t.fail(text);
    } catch (error) {
      t.match(error, { code: 'TOKEN_FILE_INVALID' }, text);
      t.equal((error as { field?: string }).field, field);
      t.notMatch(String(error), /canary/);
    }
  }
});

t.test('no text makes it throw anything but its own code', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parseTokenFile(text);
      } catch (error) {
        if (!isCodedError(error, 'TOKEN_FILE_INVALID')) throw error;
      }
    }),
  );
  t.pass();
});

t.test('a file that others can read is told of, one that is not there is named', async (t) => {
  const path = join(t.testdir(), 'token.json');
  writeFileSync(path, '{"token":"abc"}', { mode: 0o644 });
  t.match(await readTokenFile(path), { isOpenToOthers: true });
  await t.rejects(readTokenFile(`${path}.missing`), { code: 'TOKEN_FILE_UNREADABLE' });
});

t.test('addresses are host:port, with brackets around IPv6', async (t) => {
  t.strictSame(parseAddress('10.0.0.2:50051'), { host: '10.0.0.2', port: 50051 });
  t.strictSame(parseAddress('[fe80::1]:1'), { host: 'fe80::1', port: 1 });
  for (const bad of [undefined, '', 'box', 'box:', 'box:0', 'box:65536', 'a b:1', 'fe80::1:1']) {
    t.throws(() => parseAddress(bad), { code: 'APPLIANCE_ADDRESS_MISSING' }, String(bad));
  }
});
