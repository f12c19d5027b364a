import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withoutSignature } from './authenticode.ts';
import type { Bundle } from './bundle.ts';
import { fetchNode } from './fetch-node.ts';
import { builderPackage, type Target } from './targets.ts';

const run = promisify(execFile);

/** What Node looks for in itself: https://nodejs.org/api/single-executable-applications.html */
const SENTINEL_FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
const BLOB_NAME = 'NODE_SEA_BLOB';
/** As agent/bin/packed-agent.ts asks for it. */
const ADDON_ASSET = 'better-sqlite3.node';
/** As agent/update/publisher.ts asks for it. */
const KEY_ASSET = 'publisher-key';

export interface Packed {
  readonly target: string;
  readonly file: string;
  readonly node: string;
  readonly sha256: string;
  readonly bytes: number;
  /** What the bytes are; `other` is what the format of the executable adds. */
  readonly parts: { readonly node: number; readonly bundle: number; readonly addon: number; readonly other: number };
}

export interface PackageOptions {
  readonly root: string;
  readonly outDir: string;
  readonly cacheDir: string;
  readonly bundle: Bundle;
  /** Raw Ed25519, base64url: whose signature this agent asks for when it is to be replaced. None: it never is, by order. */
  readonly publisherKey?: string | undefined;
}

/** Makes one executable: the target's Node with the bundle and the addon inside. The same input gives the same bytes. */
export async function packageAgent(target: Target, options: PackageOptions): Promise<Packed> {
  const { root, outDir, cacheDir, bundle, publisherKey } = options;
  const [node, builder] = [
    await fetchNode(target.nodePackage, cacheDir),
    await fetchNode(builderPackage(target), cacheDir),
  ];
  const addon = join(root, 'node_modules', 'better-sqlite3', 'prebuilds', `${target.addon}.node`);
  await mkdir(outDir, { recursive: true });
  const work = await mkdtemp(join(outDir, '.work-'));
  try {
    const blob = await makeBlob({ builder, addon, bundle, work, publisherKey });
    const bare = await readFile(node);
    const made = join(work, target.file);
    await writeFile(made, target.name.startsWith('win-') ? withoutSignature(bare) : bare, { mode: 0o755 });
    await inject(made, blob, root);
    const bytes = await readFile(made);
    await rename(made, join(outDir, target.file));
    const parts = { node: bare.length, bundle: Buffer.byteLength(bundle.code), addon: (await readFile(addon)).length };
    return {
      target: target.name,
      file: target.file,
      node: target.nodeVersion,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      parts: { ...parts, other: bytes.length - parts.node - parts.bundle - parts.addon },
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface BlobInput {
  readonly builder: string;
  readonly addon: string;
  readonly bundle: Bundle;
  readonly work: string;
  readonly publisherKey: string | undefined;
}

async function makeBlob({ builder, addon, bundle, work, publisherKey }: BlobInput): Promise<string> {
  if (publisherKey !== undefined) await writeFile(join(work, 'publisher.key'), publisherKey);
  await writeFile(join(work, 'agent.cjs'), bundle.code);
  await writeFile(
    join(work, 'sea.json'),
    JSON.stringify({
      // Relative: the blob holds this name.
      main: 'agent.cjs',
      output: 'agent.blob',
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      // Compiled code fits one version on one processor only.
      useCodeCache: false,
      // Whoever sets NODE_OPTIONS for a service would have their own code run by it.
      execArgvExtension: 'none',
      assets: { [ADDON_ASSET]: addon, ...(publisherKey !== undefined && { [KEY_ASSET]: 'publisher.key' }) },
    }),
  );
  const { NODE_OPTIONS: _, ...env } = process.env;
  await run(builder, ['--experimental-sea-config', 'sea.json'], { cwd: work, env });
  return join(work, 'agent.blob');
}

/** In a process of its own: the library behind it warns on stderr of sections it does not know, which is of no interest. */
async function inject(executable: string, blob: string, root: string): Promise<void> {
  const cli = join(root, 'node_modules', 'postject', 'dist', 'cli.js');
  await run(process.execPath, [cli, executable, BLOB_NAME, blob, '--sentinel-fuse', SENTINEL_FUSE]);
}
