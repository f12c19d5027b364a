/** Asks `probe` until it answers with something, at most `timeoutMs`. Throws naming `what` with the last failure. */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false | null> | T | undefined | false | null,
  timeoutMs = 20_000,
  everyMs = 50,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      last = error instanceof Error ? `: ${error.message}` : '';
    }
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs} ms${last}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
