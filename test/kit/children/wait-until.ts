/** Asks again and again until the answer is true; rejects after `deadlineMs`. */
export async function waitUntil(ask: () => Promise<boolean> | boolean, deadlineMs = 10_000): Promise<void> {
  const until = performance.now() + deadlineMs;
  while (!(await ask())) {
    if (performance.now() > until) throw new Error(`not so within ${deadlineMs} ms: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
