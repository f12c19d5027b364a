import { isProcessAlive } from '@sitewarden/kit/files';

/** Waits up to `deadlineMs` for the process to end. */
export async function gone(pid: number, deadlineMs = 5000): Promise<boolean> {
  const until = performance.now() + deadlineMs;
  while (isProcessAlive(pid)) {
    if (performance.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}
