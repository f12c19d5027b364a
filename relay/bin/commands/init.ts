import { join } from 'node:path';
import { acquireLock, ensureDir } from '@sitewarden/kit/files';
import { type RelayConfig, relayHost } from '../../config/index.ts';
import { relayErrors } from '../../errors.ts';
import { hasKeys, initKeys } from '../../keys/index.ts';
import { isAbsent, openStore, storeOptions } from '../../store/index.ts';
import { print } from '../print.ts';

export interface InitFlags {
  readonly json?: boolean;
  readonly ifMissing?: boolean;
  readonly newDatabase?: boolean;
}

export async function init(config: RelayConfig, { json, ifMissing, newDatabase }: InitFlags): Promise<void> {
  const { dataDir } = config;
  const isKept = await hasKeys(dataDir);
  if (newDatabase) {
    await beginAnew(config, isKept);
    return;
  }
  if (ifMissing && isKept) return;
  const host = relayHost(config);
  // First: whoever finds keys without a database may conclude that it was lost.
  if (!isKept) await makeDatabase(config);
  const made = await initKeys({ dataDir, host, nowMs: Date.now() });
  if (json) {
    print(JSON.stringify({ host, ...made }));
    return;
  }
  print(`Keys of ${host} are made.`);
  print(`Root public key, which every box must be given: ${made.rootPublicKey}`);
  print(`Now move ${made.rootKeyFile} to a place that is not on any network. The relay runs without it.`);
}

async function beginAnew(config: RelayConfig, hasKeys: boolean): Promise<void> {
  if (!hasKeys) throw relayErrors.make('KEYS_MISSING', { detail: config.dataDir });
  const options = await storeOptions(config);
  if (options.kind !== 'sqlite') {
    const detail = '--new-database is for SQLite; the owner of a PostgreSQL database makes it, then migrate';
    throw relayErrors.make('CONFIG_INVALID', { field: 'store.kind', detail });
  }
  if (!isAbsent(options.file)) throw relayErrors.make('STORE_EXISTS', { detail: options.file });
  await makeDatabase(config);
  print('A new database is made, without sites, boxes and people. The next start prints a sign-in link.');
  print('Boxes that were claimed before are not known to it: reset and claim them anew.');
}

async function makeDatabase(config: RelayConfig): Promise<void> {
  const options = await storeOptions(config);
  if (options.kind !== 'sqlite') return;
  await ensureDir(config.dataDir);
  const lock = acquireLock(join(config.dataDir, 'relay.lock'));
  try {
    await (await openStore({ ...options, mustExist: false })).close();
  } finally {
    lock.release();
  }
}
