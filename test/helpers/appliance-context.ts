import { createLogger } from '@sitewarden/kit/log';
import type { Test } from 'tap';
import { parseConfig } from '../../appliance/config/index.ts';
import type { ApplianceContext } from '../../appliance/lib/context.ts';
import { createMetrics } from '../../appliance/lib/metrics.ts';
import { createSignals } from '../../appliance/lib/signals.ts';
import { openStore } from '../../appliance/store/index.ts';
import { patient } from '../../scripts/lib/wait.ts';

export interface MovableClock {
  nowMs(): number;
  monotonicMs(): number;
  /** Moves wall time, either way. */
  move(byMs: number): void;
}

export interface TestContext extends ApplianceContext {
  readonly clock: MovableClock;
}

export const START_MS = Date.UTC(2026, 2, 1, 12, 0, 0);

/** A context on a real database in a folder of its own; wall time stands still until the test moves it. */
export function applianceContext(t: Test, yaml = ''): TestContext {
  const dataDir = t.testdir();
  const text = `relay: { url: 'http://127.0.0.1:9', rootKey: ${'A'.repeat(43)} }\ndataDir: ${JSON.stringify(dataDir)}\n${yaml}`;
  const config = parseConfig(text, 'test.yaml');
  if (!config.ok) throw new Error(JSON.stringify(config.issues));
  const { db } = openStore(dataDir);
  t.teardown(() => db.close());
  let nowMs = START_MS;
  return {
    db,
    config: config.value,
    log: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
    signals: createSignals((error) => {
      throw error;
    }),
    clock: {
      nowMs: () => nowMs,
      monotonicMs: () => performance.now(),
      move: (byMs) => {
        nowMs += byMs;
      },
    },
  };
}

/** Resolves with what `probe` answers once that is not undefined; rejects after patiently `timeoutMs`, naming what was awaited. */
export async function eventually<T>(what: string, probe: () => T | undefined, timeoutMs = 20_000): Promise<T> {
  const longestMs = patient(timeoutMs);
  const endMs = performance.now() + longestMs;
  for (;;) {
    const value = probe();
    if (value !== undefined) return value;
    if (performance.now() > endMs) throw new Error(`${what} did not happen within ${longestMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
