import type { DeviceRow } from '@sitewarden/agent-proto/http';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { json, prepared } from './statements.ts';

/** Something seen on the site's network; the same members as the row the relay gets. */
export type DeviceRecord = Readonly<Omit<DeviceRow, 'type'>>;

const COLUMNS =
  'id, network, mac, addresses, name, services, probes, first_seen_ms AS firstSeenMs, last_seen_ms AS lastSeenMs';

export const DEVICE_SQL = {
  upsert: `INSERT INTO device (id, network, mac, addresses, name, services, probes, first_seen_ms, last_seen_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET network = excluded.network, mac = excluded.mac, addresses = excluded.addresses,
      name = excluded.name, services = excluded.services, probes = excluded.probes, last_seen_ms = excluded.last_seen_ms`,
  byId: `SELECT ${COLUMNS} FROM device WHERE id = ?`,
  byMac: `SELECT ${COLUMNS} FROM device WHERE network = ? AND mac = ?`,
  list: `SELECT ${COLUMNS} FROM device ORDER BY network, id`,
  count: 'SELECT count(*) AS n FROM device',
  prune: 'DELETE FROM device WHERE last_seen_ms < ?',
} as const;

type Raw = Omit<DeviceRecord, 'addresses' | 'services' | 'probes'> & {
  addresses: string;
  services: string;
  probes: string;
};

const record = (raw: Raw): DeviceRecord => ({
  ...raw,
  addresses: json(raw.addresses),
  services: json(raw.services),
  probes: json(raw.probes),
});

/** `firstSeenMs` counts only when the device is new. */
export function put(db: SqliteDatabase, device: DeviceRecord): void {
  prepared(db, DEVICE_SQL.upsert).run(
    device.id,
    device.network,
    device.mac,
    JSON.stringify(device.addresses),
    device.name,
    JSON.stringify(device.services),
    JSON.stringify(device.probes),
    device.firstSeenMs,
    device.lastSeenMs,
  );
}

export function byId(db: SqliteDatabase, id: string): DeviceRecord | undefined {
  const raw = prepared<[string], Raw>(db, DEVICE_SQL.byId).get(id);
  return raw && record(raw);
}

export function byMac(
  db: SqliteDatabase,
  { network, mac }: { network: string; mac: string },
): DeviceRecord | undefined {
  const raw = prepared<[string, string], Raw>(db, DEVICE_SQL.byMac).get(network, mac);
  return raw && record(raw);
}

export function list(db: SqliteDatabase): DeviceRecord[] {
  return prepared<[], Raw>(db, DEVICE_SQL.list).all().map(record);
}

export function count(db: SqliteDatabase): number {
  return prepared<[], { n: number }>(db, DEVICE_SQL.count).get()?.n ?? 0;
}

export function prune(db: SqliteDatabase, beforeMs: number): number {
  return prepared(db, DEVICE_SQL.prune).run(beforeMs).changes;
}

export const toRow = (device: DeviceRecord): DeviceRow => ({ type: 'device', ...device });
