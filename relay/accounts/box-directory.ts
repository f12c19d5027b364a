import type { KeyObject } from 'node:crypto';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { relayErrors } from '../errors.ts';
import type { Box } from '../lib/identity.ts';
import { createLru } from '../lib/lru.ts';
import type { Store } from '../store/index.ts';

/** Other relay processes on the same store learn of a change of state after this long at the latest. */
const FRESH_MS = 5000;
const MAX_BOXES = 20_000;

export interface KnownBox {
  readonly box: Box;
  readonly publicKey: KeyObject;
}

export interface BoxDirectory {
  /** The box of a device key's fingerprint. Throws APPLIANCE_UNKNOWN or APPLIANCE_REVOKED. */
  find(fingerprint: string, nowMs: number): Promise<KnownBox>;
  /** Drops what is cached about an appliance: after a change of its state, epoch or keys, once committed. */
  forget(applianceId: string): void;
}

interface Entry {
  readonly known: KnownBox | undefined;
  readonly applianceId: string;
  readonly readAtMs: number;
}

export function createBoxDirectory(store: Store): BoxDirectory {
  const entries = createLru<string, Entry>(MAX_BOXES);

  async function read(fingerprint: string, nowMs: number): Promise<Entry> {
    const key = await store.system((trx) =>
      trx.selectFrom('key_directory').selectAll().where('fingerprint', '=', fingerprint).executeTakeFirst(),
    );
    if (key === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
    const row = await store.inTenant(key.partner_id, (trx) =>
      trx.selectFrom('appliance').selectAll().where('id', '=', key.appliance_id).executeTakeFirst(),
    );
    if (row === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
    if (row.state === 'revoked') return { known: undefined, applianceId: row.id, readAtMs: nowMs };
    const box: Box = {
      applianceId: row.id,
      partnerId: row.partner_id,
      siteId: row.site_id,
      epoch: row.epoch,
      state: row.state === 'active' ? 'active' : 'quarantined',
      fingerprint,
      dik: row.dik,
      evk: row.evk,
    };
    return { known: { box, publicKey: publicKeyFromRaw(row.dik) }, applianceId: row.id, readAtMs: nowMs };
  }

  return {
    async find(fingerprint, nowMs) {
      let entry = entries.get(fingerprint);
      if (entry === undefined || Math.abs(nowMs - entry.readAtMs) > FRESH_MS) {
        entry = await read(fingerprint, nowMs);
        entries.set(fingerprint, entry);
      }
      if (entry.known === undefined) throw relayErrors.make('APPLIANCE_REVOKED');
      return entry.known;
    },
    forget(applianceId) {
      entries.deleteWhere((entry) => entry.applianceId === applianceId);
    },
  };
}
