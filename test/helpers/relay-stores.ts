import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openStore, type Store } from '../../relay/store/index.ts';
import { openTestPostgres, startPostgres } from './postgres.ts';

type Body = (t: Test, store: Store) => Promise<void>;

/** Runs the same tests on an empty store of each engine, a fresh one for each name. */
export async function onBothEngines(t: Test, cases: Readonly<Record<string, Body>>): Promise<void> {
  for (const [name, body] of Object.entries(cases)) {
    await t.test(`${name} (SQLite)`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'sitewarden-store-'));
      const store = await openStore({ kind: 'sqlite', file: join(folder, 'relay.db') });
      try {
        await body(t, store);
      } finally {
        await store.close();
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
  const postgres = await startPostgres();
  try {
    for (const [name, body] of Object.entries(cases)) {
      await t.test(`${name} (PostgreSQL)`, async (t) => {
        const store = await openTestPostgres(await postgres.createDatabase());
        try {
          await body(t, store);
        } finally {
          await store.close();
        }
      });
    }
  } finally {
    await postgres.stop();
  }
}
