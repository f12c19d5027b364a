import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openStore, type Store } from '../../relay/store/index.ts';
import { openTestPostgres, startPostgres, type TestPostgres } from './postgres.ts';

export type Engine = 'sqlite' | 'postgres';

export interface OpenedStore {
  readonly store: Store;
  close(): Promise<void>;
}

/** Makes empty stores of one engine; PostgreSQL is started once and stopped by `stop`. */
export interface StoreMaker {
  readonly engine: Engine;
  make(): Promise<OpenedStore>;
  stop(): Promise<void>;
}

export function sqliteStores(): StoreMaker {
  return {
    engine: 'sqlite',
    async make() {
      const folder = await mkdtemp(join(tmpdir(), 'sitewarden-store-'));
      const store = await openStore({ kind: 'sqlite', file: join(folder, 'relay.db') });
      return {
        store,
        async close() {
          await store.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
    stop: async () => {},
  };
}

export function postgresStores(): StoreMaker {
  let server: Promise<TestPostgres> | undefined;
  return {
    engine: 'postgres',
    async make() {
      server ??= startPostgres();
      const store = await openTestPostgres(await (await server).createDatabase());
      return { store, close: () => store.close() };
    },
    async stop() {
      await (await server)?.stop();
    },
  };
}

/**
 * The same behaviour on both engines: `suite` declares its tests against `fresh`, which answers with an empty store that is
 * closed after the test it was asked for.
 */
export async function onBothEngines(
  t: Test,
  suite: (t: Test, fresh: (t: Test) => Promise<Store>, engine: Engine) => Promise<void>,
): Promise<void> {
  for (const maker of [sqliteStores(), postgresStores()]) {
    await t.test(`on ${maker.engine}`, async (inner) => {
      const fresh = async (one: Test) => {
        const { store, close } = await maker.make();
        one.teardown(close);
        return store;
      };
      try {
        await suite(inner, fresh, maker.engine);
      } finally {
        await maker.stop();
      }
    });
  }
}
