import { runTool } from '@sitewarden/kit/exec';
import type { Logger } from '@sitewarden/kit/log';
import { agentErrors } from '../errors.ts';

export interface TryOptions {
  /** The new file. */
  readonly path: string;
  /** What it has to say it is. */
  readonly version: string;
  readonly configPath: string | undefined;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const VERSION_MS = 30_000;
const CHECK_MS = 120_000;
/** Of `update-check`; a program that ends well without it is not one of ours. */
export const CHECK_WORDS = 'update-check passed';

/**
 * Starts the new file where the old one runs, with its configuration, and has it do everything an agent needs, on a copy
 * of the queue. Throws UPDATE_CHECK_FAILED.
 */
export async function tryProgram({ path, version, configPath, signal, log }: TryOptions): Promise<void> {
  const config = configPath === undefined ? [] : ['--config', configPath];
  const told = await runTool([path, '--version'], { timeoutMs: VERSION_MS, signal });
  signal.throwIfAborted();
  const isRight = told.ok && told.stdout.trim() === version;
  const checked = isRight ? await runTool([path, ...config, 'update-check'], { timeoutMs: CHECK_MS, signal }) : told;
  signal.throwIfAborted();
  if (isRight && checked.ok && checked.stdout.includes(CHECK_WORDS)) return;
  const { exitCode, timedOut, stderr, stdout } = checked;
  log.error({ exitCode, timedOut, stderr, stdout: stdout.slice(0, 2000) }, 'the new agent failed its trial');
  const how = timedOut ? 'did not end in time' : `ended with ${exitCode ?? 'a signal'}`;
  const code = /sitewarden-agent: ([A-Z_]{3,64}): /.exec(stderr)?.[1];
  const detail = `${isRight ? 'Its trial' : 'Asked for its version it'} ${how}${code === undefined ? '' : ` (${code})`}`;
  throw agentErrors.make('UPDATE_CHECK_FAILED', { detail });
}
