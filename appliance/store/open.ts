import { join } from 'node:path';
import { openOrSetAside, type SqliteDatabase } from '@sitewarden/kit/sqlite';
import { MIGRATIONS } from './migrations/index.ts';

export interface OpenedStore {
  readonly db: SqliteDatabase;
  readonly path: string;
  /** Where a damaged database was moved; the one in use is new and empty then. */
  readonly setAside?: string;
  readonly reason?: string;
}

export const DATABASE_FILE = 'appliance.db';

/** Opens `<dataDir>/appliance.db`. The caller holds the lock of the folder. */
export function openStore(dataDir: string): OpenedStore {
  const path = join(dataDir, DATABASE_FILE);
  return { path, ...openOrSetAside(path, { migrations: MIGRATIONS }) };
}
