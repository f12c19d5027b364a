import { runTool, type ToolOptions, type ToolResult } from '@sitewarden/kit/exec';

/** Debian keeps administrators' tools outside the PATH of ordinary accounts; not finding nft is not the same as none. */
const MORE_FOLDERS = ['/usr/sbin', '/sbin'];

/** Asks a tool of the operating system. The signal is the collector's own, so that nothing outlives its time. */
export function askTool(
  argv: readonly [string, ...string[]],
  options: ToolOptions & { readonly signal: AbortSignal },
): Promise<ToolResult> {
  const path = [process.env.PATH, ...MORE_FOLDERS].filter(Boolean).join(':');
  return runTool(argv, { ...options, env: { PATH: path, ...options.env } });
}
