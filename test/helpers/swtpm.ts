import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { waitFor } from '../../scripts/lib/wait.ts';
import { findTool, skipWithout } from './needs.ts';

export interface SoftTpm {
  /** How tpm2-tools reach it. */
  readonly tcti: string;
  /** Takes the machine's TPM away. */
  stop(): Promise<void>;
}

export const TPM_TOOLS = ['swtpm', 'tpm2_create', 'tpm2_unseal'] as const;

export const skipWithoutTpm = (t: Test): boolean => skipWithout(t, { tools: TPM_TOOLS });

/** A TPM 2.0 of its own, in software, on a Unix socket; `state` keeps what it is across stops. */
export async function startSwtpm(t: Test, state?: string): Promise<SoftTpm & { readonly state: string }> {
  const dir = state ?? (await mkdtemp(join(tmpdir(), 'sw-tpm-')));
  const socket = join(dir, 's');
  const child = spawn(
    findTool('swtpm') ?? 'swtpm',
    [
      ...['socket', '--tpm2', '--tpmstate', `dir=${dir}`, '--flags', 'not-need-init,startup-clear'],
      ...['--server', `type=unixio,path=${socket}`, '--ctrl', `type=unixio,path=${socket}.ctrl`],
    ],
    { stdio: 'ignore' },
  );
  const gone = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await gone;
    // A socket nobody listens on would look like a TPM that hangs.
    await rm(socket, { force: true });
    await rm(`${socket}.ctrl`, { force: true });
  };
  t.teardown(async () => {
    await stop();
    await rm(dir, { recursive: true, force: true });
  });
  await waitFor('the TPM to listen', () => existsSync(socket) && existsSync(`${socket}.ctrl`));
  return { tcti: `swtpm:path=${socket}`, state: dir, stop };
}
