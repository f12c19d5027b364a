import { chmod, copyFile, lstat, mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import { syncFolder, writeFileAtomic } from '@sitewarden/kit/files';
import { agentErrors } from '../errors.ts';
import type { Step } from './steps.ts';

export interface ExecuteOptions {
  /** Files are laid below this folder, and systemctl is told so. */
  readonly root: string | undefined;
  /** Ends the agent of this data folder. */
  stop(dataDir: string): Promise<unknown>;
  /** Enrolls with the token file, if the appliance can be reached now. */
  enroll(tokenFile: string): Promise<unknown>;
}

const TOOL_TIMEOUT_MS = 60_000;

/** Throws INSTALL_STEP_FAILED, which names the step; what was done before it stays, and the next run does it again. */
export async function executeStep(step: Step, options: ExecuteOptions): Promise<void> {
  try {
    await execute(step, options);
  } catch (cause) {
    if (agentErrors.is(cause)) throw cause;
    throw failed(step, (cause as Error).message, cause);
  }
}

async function execute(step: Step, { root, stop, enroll }: ExecuteOptions): Promise<void> {
  const at = (path: string): string => (root === undefined ? path : join(root, path));
  switch (step.do) {
    case 'folder':
      return makeFolder(at(step.path), step.mode);
    case 'copy':
      return replaceFile(step.from, at(step.to), step.mode);
    case 'write': {
      if (step.isKept === true && (await isThere(at(step.path)))) return;
      const isWide = step.encoding === 'utf16';
      const data = isWide ? Buffer.from(`\uFEFF${step.text.replaceAll('\n', '\r\n')}`, 'utf16le') : step.text;
      return writeFileAtomic(at(step.path), data, { mode: step.mode });
    }
    case 'stop':
      await stop(step.dataDir);
      return;
    case 'enroll':
      await enroll(step.tokenFile);
      return;
    case 'run':
      return runStep(step, root);
    case 'remove':
      return rm(at(step.path), { recursive: true, force: true });
    case 'remove-empty':
      return rmdir(at(step.path)).catch((error: NodeJS.ErrnoException) => {
        if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error;
      });
  }
}

async function runStep(step: Extract<Step, { do: 'run' }>, root: string | undefined): Promise<void> {
  const [program, ...args] = step.argv;
  const result = await runTool([program, ...(root === undefined ? [] : [`--root=${root}`]), ...args], {
    timeoutMs: TOOL_TIMEOUT_MS,
  });
  if (result.ok || (step.mayFail === true && !result.missing)) return;
  const said = `${result.stderr} ${result.stdout}`.replaceAll(/\s+/g, ' ').trim().slice(0, 300);
  throw failed(step, said || `exit code ${result.exitCode}`);
}

/**
 * The mode counts also for a folder that is there, but only where others get less by it. A link may have been laid there
 * by an account that shall have no say here.
 */
async function makeFolder(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  const found = await lstat(path);
  if (!found.isDirectory()) throw new Error('a link or a file is in its place');
  if (process.platform === 'win32') return;
  const now = found.mode & 0o777;
  if ((now & ~mode) !== 0 && mode === 0o700) await chmod(path, mode);
}

/** Whole or not at all: a power cut must leave a program that starts. A running one keeps its old file on Unix. */
async function replaceFile(from: string, to: string, mode: number): Promise<void> {
  const temp = `${to}.new`;
  try {
    await copyFile(from, temp);
    const file = await open(temp, 'r+');
    try {
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temp, to);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
  await syncFolder(join(to, '..'));
}

/** One line for people. No text of a token, whoever looks over the shoulder. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case 'folder':
      return `make the folder ${step.path}, mode ${step.mode.toString(8).padStart(4, '0')}`;
    case 'copy':
      return `copy ${step.from} to ${step.to}`;
    case 'write':
      return `write ${step.path}${step.isKept === true ? ', unless it is there' : ''}`;
    case 'stop':
      return 'end the agent if it runs';
    case 'enroll':
      return 'enroll with the token, now or when the appliance can be reached';
    case 'run':
      return `run ${step.argv.map((word) => (/[\s"]/.test(word) ? JSON.stringify(word) : word)).join(' ')}`;
    case 'remove':
      return `remove ${step.path}`;
    case 'remove-empty':
      return `remove the folder ${step.path} if it is empty`;
  }
}

const failed = (step: Step, detail: string, cause?: unknown): Error =>
  agentErrors.make('INSTALL_STEP_FAILED', { detail: `Could not ${describeStep(step)}: ${detail}`, cause });

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
