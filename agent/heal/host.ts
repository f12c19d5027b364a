import { runTool, type ToolOptions, type ToolResult } from '@sitewarden/kit/exec';
import { askTool } from '../collect/index.ts';
import { type ChangeTools, changeTools } from '../windows/index.ts';

export type Argv = readonly [string, ...string[]];

/** The workstation as the actions reach it: everything they change goes through here. */
export interface Host {
  readonly platform: NodeJS.Platform;
  /** Where its files begin: `/`. */
  readonly root: string;
  /** Programs of Windows, by their full path. */
  readonly tools: ChangeTools;
  /** By argv, never through a shell; never throws for what the program does. */
  run(argv: Argv, options?: ToolOptions): Promise<ToolResult>;
}

export function thisHost(): Host {
  const { platform } = process;
  return {
    platform,
    root: '/',
    tools: changeTools(),
    // askTool finds administrators' tools that lie outside the PATH of a service on Unix.
    run: (argv, options = {}) =>
      platform === 'win32'
        ? runTool(argv, options)
        : askTool(argv, { ...options, signal: options.signal ?? new AbortController().signal }),
  };
}
