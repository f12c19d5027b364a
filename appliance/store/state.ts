import type { RelayKeys, ReleasePayload, SiteConfig } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type {
  CheckinHeardState,
  ClaimState,
  EvkTurnState,
  KeptSerialState,
  RelayKeysState,
  SiteConfigState,
} from './state-types.ts';
import { prepared } from './statements.ts';

export type * from './state-types.ts';

export interface StateValues {
  claim: ClaimState;
  site_config: SiteConfigState;
  relay_keys: RelayKeysState;
  /** The box closes its log and leaves. */
  release: ReleasePayload;
  evk_turn: EvkTurnState;
  kept_serial: KeptSerialState;
  checkin_heard: CheckinHeardState;
}
export type StateName = keyof StateValues;
export const STATE_NAMES = [
  'claim',
  'site_config',
  'relay_keys',
  'release',
  'evk_turn',
  'kept_serial',
  'checkin_heard',
] as const satisfies readonly StateName[];

export const STATE_SQL = {
  get: 'SELECT value FROM state WHERE name = ?',
  set: `INSERT INTO state (name, value, changed_at_ms) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at_ms = excluded.changed_at_ms`,
  remove: 'DELETE FROM state WHERE name = ?',
} as const;

export function get<N extends StateName>(db: SqliteDatabase, name: N): StateValues[N] | undefined {
  const row = prepared<[string], { value: string }>(db, STATE_SQL.get).get(name);
  return row && (JSON.parse(row.value) as StateValues[N]);
}

export function set<N extends StateName>(
  db: SqliteDatabase,
  name: N,
  { value, atMs }: { value: StateValues[N]; atMs: number },
): void {
  prepared(db, STATE_SQL.set).run(name, JSON.stringify(value), atMs);
}

export function remove(db: SqliteDatabase, name: StateName): void {
  prepared(db, STATE_SQL.remove).run(name);
}

/** The signed site configuration in force; undefined before the claim. */
export function siteConfig(db: SqliteDatabase): SiteConfig | undefined {
  return get(db, 'site_config')?.config;
}

/** The relay's working keys, verified under the pinned root when they were stored. */
export function relayKeys(db: SqliteDatabase): RelayKeys | undefined {
  return get(db, 'relay_keys')?.keys;
}
