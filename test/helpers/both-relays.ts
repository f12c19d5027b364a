import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { postgresConfig, startPostgres } from './postgres.ts';
import { startTestRelay, type TestRelay } from './relay.ts';

type Options = NonNullable<Parameters<typeof startTestRelay>[1]>;
export type Start = (options?: Options) => Promise<TestRelay>;

/** Runs the same tests against whole relays on SQLite and on PostgreSQL, an empty one for each `start`. */
export async function onBothRelays(
  t: Test,
  cases: Readonly<Record<string, (t: Test, start: Start) => Promise<void>>>,
): Promise<void> {
  for (const [name, body] of Object.entries(cases)) {
    await t.test(`${name} (SQLite)`, (t) => body(t, (options) => startTestRelay((fn) => t.teardown(fn), options)));
  }
  const postgres = await startPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'sitewarden-both-'));
  try {
    for (const [name, body] of Object.entries(cases)) {
      await t.test(`${name} (PostgreSQL)`, (t) =>
        body(t, async (options) => {
          const store = await postgresConfig(await postgres.createDatabase(), folder);
          return startTestRelay((fn) => t.teardown(fn), { ...options, store });
        }),
      );
    }
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
