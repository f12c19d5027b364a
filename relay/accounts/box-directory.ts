import type { KeyObject } from 'node:crypto';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { relayErrors } from '../errors.ts';
import { Batcher } from '../lib/batcher.ts';
import type { Box } from '../lib/identity.ts';
import { createLru } from '../lib/lru.ts';
import type { Store } from '../store/index.ts';
import { findOtherKey } from '../store/repositories/box-keys.ts';
import { type BoxRow, findBoxes, findBoxOf } from '../store/repositories/boxes.ts';
import { type RetiredReason, whyRetired } from '../store/repositories/custody.ts';

/**
 * How long an entry is believed. On PostgreSQL other relay processes change states too, and this one learns of it after
 * so long at the latest; on SQLite there is one process, which says so with `forget`.
 */
const FRESH_MS = { sqlite: 10 * 60_000, postgres: 5000 } as const;
const MAX_BOXES = 20_000;

/** What the key that was asked for is to its box. A retired one says since when. */
export type KeyStanding = { readonly is: 'current' | 'next' } | { readonly is: 'retired'; readonly atMs: number };

export interface KnownBox {
  /** Under its present key, whatever key was asked for. */
  readonly box: Box;
  /** The key that was asked for. */
  readonly publicKey: KeyObject;
  readonly fingerprint: string;
  readonly standing: KeyStanding;
}

export interface BoxDirectory {
  /**
   * The box of a device key's fingerprint, also of its next and of retired ones. Throws APPLIANCE_UNKNOWN,
   * APPLIANCE_REVOKED, or why it left its site: APPLIANCE_RELEASED, _REPLACED, _REARMED, _REMOVED.
   */
  find(fingerprint: string, nowMs: number): Promise<KnownBox>;
  /** Whether the fingerprint is of a box that was found before and not revoked, from memory alone: costs no look into the store. */
  isCached(fingerprint: string): boolean;
  /** Drops what is cached about an appliance: after a change of its state, epoch or keys, once committed. */
  forget(applianceId: string): void;
  /** Called after each `forget`. Answers how to stop listening. */
  onForget(listener: (applianceId: string) => void): () => void;
}

const RETIRED_CODES = {
  released: 'APPLIANCE_RELEASED',
  replaced: 'APPLIANCE_REPLACED',
  rearmed: 'APPLIANCE_REARMED',
  removed: 'APPLIANCE_REMOVED',
} as const satisfies Record<RetiredReason, string>;

interface Entry {
  readonly known: KnownBox | undefined;
  /** Of a box that is not in service any more. */
  readonly why: RetiredReason | undefined;
  readonly applianceId: string;
  readonly readAtMs: number;
}

export function createBoxDirectory(store: Store): BoxDirectory {
  const entries = createLru<string, Entry>(MAX_BOXES);
  const keys = createLru<string, KeyObject>(MAX_BOXES);
  const listeners = new Set<(applianceId: string) => void>();

  // Boxes that come at the same moment are looked up together.
  const lookups = new Batcher<string, BoxRow | undefined>({
    commit: async (fingerprints) => {
      const rows = await findBoxes(store, fingerprints);
      return fingerprints.map((fingerprint) => rows.get(fingerprint));
    },
    maxBatch: 256,
    maxDelayMs: 2,
    maxQueue: 10_000,
  });

  async function read(fingerprint: string, nowMs: number): Promise<Entry> {
    const found = lookups.add(fingerprint);
    if (found === undefined) throw relayErrors.make('OVERLOADED', { data: { retryAfterS: 10 } });
    const row = await found;
    if (row !== undefined && row.state !== 'revoked') {
      return entryOf(row, { fingerprint, publicKey: row.dik, standing: { is: 'current' } }, nowMs);
    }
    const why = await store.system((trx) => whyRetired(trx, fingerprint));
    if (row !== undefined || why !== undefined) {
      return { known: undefined, why, applianceId: row?.id ?? '', readAtMs: nowMs };
    }
    const other = await findOtherKey(store, fingerprint);
    const owner = other && (await findBoxOf(store, other));
    if (other === undefined || owner === undefined) {
      // Between the two looks the next key may have become the present one.
      const now = (await findBoxes(store, [fingerprint])).get(fingerprint);
      if (now === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
      return entryOf(now, { fingerprint, publicKey: now.dik, standing: { is: 'current' } }, nowMs);
    }
    const { publicKey, state, atMs } = other;
    const standing: KeyStanding = state === 'next' ? { is: 'next' } : { is: 'retired', atMs };
    return entryOf(owner, { fingerprint, publicKey, standing }, nowMs);
  }

  function entryOf(
    row: BoxRow,
    key: { fingerprint: string; publicKey: string; standing: KeyStanding },
    readAtMs: number,
  ): Entry {
    if (row.state === 'revoked') return { known: undefined, why: undefined, applianceId: row.id, readAtMs };
    const box: Box = {
      applianceId: row.id,
      partnerId: row.partner_id,
      siteId: row.site_id,
      epoch: row.epoch,
      state: row.state === 'active' ? 'active' : 'quarantined',
      fingerprint: row.fingerprint,
      dik: row.dik,
      evk: row.evk,
    };
    const known = { ...key, box, publicKey: publicKeyOf(key.publicKey) };
    return { known, why: undefined, applianceId: row.id, readAtMs };
  }

  /** A key never changes, and importing one costs as much as verifying with it. */
  function publicKeyOf(dik: string): KeyObject {
    const known = keys.get(dik) ?? publicKeyFromRaw(dik);
    keys.set(dik, known);
    return known;
  }

  return {
    async find(fingerprint, nowMs) {
      let entry = entries.get(fingerprint);
      if (entry === undefined || Math.abs(nowMs - entry.readAtMs) > FRESH_MS[store.kind]) {
        entry = await read(fingerprint, nowMs);
        // A key that left or was retired may be claimed again any moment, and is to be welcome then.
        if (entry.known !== undefined && entry.known.standing.is !== 'retired') entries.set(fingerprint, entry);
      }
      if (entry.known === undefined) {
        throw relayErrors.make(entry.why === undefined ? 'APPLIANCE_REVOKED' : RETIRED_CODES[entry.why]);
      }
      return entry.known;
    },
    isCached(fingerprint) {
      const is = entries.get(fingerprint)?.known?.standing.is;
      return is === 'current' || is === 'next';
    },
    forget(applianceId) {
      entries.deleteWhere((entry) => entry.applianceId === applianceId);
      for (const listener of listeners) listener(applianceId);
    },
    onForget(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
