import { join } from 'node:path';
import { rolldown } from 'rolldown';

export interface Bundle {
  readonly code: string;
  /** Bytes of the bundle by where they come from, largest first. */
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
}

/** The agent and all it imports in one CommonJS text, types stripped. Says nothing of the folder it was made in. */
export async function bundleAgent(root: string): Promise<Bundle> {
  const build = await rolldown({
    input: join(root, 'agent', 'bin', 'packed-agent.ts'),
    cwd: root,
    platform: 'node',
    // Optional sensors of macOS; the library asks for them in a try.
    external: ['macos-temperature-sensor', 'osx-temperature-sensor'],
    onLog(level, log, next) {
      // A name that was not found is left as a call that can only fail at run time.
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      if (level === 'warn' && log.code !== 'EVAL') next(level, log);
    },
  });
  try {
    const { output } = await build.generate({ format: 'cjs', codeSplitting: false, comments: false });
    const [chunk, ...more] = output;
    if (more.length > 0) throw new Error(`the bundle has ${more.length} further files`);
    return { code: chunk.code, parts: partsOf(chunk.modules) };
  } finally {
    await build.close();
  }
}

function partsOf(modules: Record<string, { renderedLength: number }>): Bundle['parts'] {
  const sizes = new Map<string, number>();
  for (const [path, { renderedLength }] of Object.entries(modules)) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'sitewarden';
    sizes.set(name, (sizes.get(name) ?? 0) + renderedLength);
  }
  return [...sizes].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
}
