/** A machine that shares its cores with others may be this many times slower than it mostly is. */
const PATIENCE = 3;

/** The longest wait for something that takes at most `ms` on a machine of one's own. */
export const patient = (ms: number): number => ms * PATIENCE;

/** Asks `probe` until it answers with something, at most patiently `timeoutMs`. Throws naming `what` with the last failure. */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false | null> | T | undefined | false | null,
  timeoutMs = 20_000,
  everyMs = 50,
): Promise<T> {
  const longestMs = patient(timeoutMs);
  const deadline = performance.now() + longestMs;
  let last = '';
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      last = error instanceof Error ? `: ${error.message}` : '';
    }
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${longestMs} ms${last}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
