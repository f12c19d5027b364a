// Makes the agent one file for each operating system: `npm run build:agent -- --target win-x64`.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleAgent } from './package-agent/bundle.ts';
import { publisherKeyOf, writeManifest } from './package-agent/manifest.ts';
import { type Packed, packageAgent } from './package-agent/package-agent.ts';
import { sizeTable } from './package-agent/size-table.ts';
import { TARGET_NAMES, type TargetName, targetOf } from './package-agent/targets.ts';

const ROOT = join(import.meta.dirname, '..');
const USAGE = `Usage: npm run build:agent -- [--target ${TARGET_NAMES.join('|')}|all] [--out DIR] [--cache DIR] [--sign-key PEM] [--publisher-key KEY] [--json]`;

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: ['all'] },
    out: { type: 'string', default: join(ROOT, 'dist', 'agent') },
    cache: { type: 'string', default: join(ROOT, 'dist', 'cache') },
    'sign-key': { type: 'string' },
    'publisher-key': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const unknown = values.target.find((name) => name !== 'all' && !TARGET_NAMES.includes(name as TargetName));
if (unknown !== undefined) {
  console.error(`There is no target ${unknown}. ${USAGE}`);
  process.exit(2);
}
const names = values.target.includes('all') ? TARGET_NAMES : [...new Set(values.target as TargetName[])];
const outDir = resolve(values.out);

const signKey = values['sign-key'];
// The next versions are believed by the key this one is built with, also where signing is done elsewhere.
const publisherKey =
  values['publisher-key'] ?? (signKey === undefined ? undefined : publisherKeyOf(await readFile(signKey, 'utf8')));
if (publisherKey !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(publisherKey)) {
  console.error(`--publisher-key is a raw Ed25519 public key, 43 characters of base64url. ${USAGE}`);
  process.exit(2);
}
const bundle = await bundleAgent(ROOT);
const packed: Packed[] = [];
for (const name of names) {
  packed.push(
    await packageAgent(targetOf(name), { root: ROOT, outDir, cacheDir: resolve(values.cache), bundle, publisherKey }),
  );
}
const { version } = (await import('../agent/package.json', { with: { type: 'json' } })).default;
await writeManifest({ outDir, version, packed, signKey });
const sizes = { version, files: packed, bundle: bundle.parts };
await writeFile(join(outDir, 'sizes.json'), `${JSON.stringify(sizes, undefined, 2)}\n`);
console.log(values.json ? JSON.stringify(sizes, undefined, 2) : sizeTable(packed, bundle));
