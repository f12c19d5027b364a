import { createLru } from '../lib/lru.ts';
import type { Store } from '../store/index.ts';
import { type Sighting, saveSightings } from '../store/repositories/sightings.ts';

/** Machines of boxes in quarantine that were not written down yet; a flood of copies cannot take more. */
const MAX_WAITING = 1000;
/** Addresses remembered, so that the machine that was there first has one too when a second one comes. */
const MAX_ADDRESSES = 20_000;

export interface SightingBook {
  /** Every check-in: remembers from where a machine comes, in memory alone. */
  heard(machine: Pick<Sighting, 'applianceId' | 'bootId'>, address: string): void;
  /** The address last heard of a machine; empty when it is not known. */
  addressOf(machine: Pick<Sighting, 'applianceId' | 'bootId'>): string;
  /** A check-in of a box in quarantine: written down with the next flush, so that a check-in stays one row. */
  note(sighting: Sighting): void;
  flush(): Promise<void>;
}

const keyOf = ({ applianceId, bootId }: Pick<Sighting, 'applianceId' | 'bootId'>) => `${applianceId} ${bootId}`;

/** Which machines use the identity of a box in quarantine. */
export function createSightingBook(store: Store): SightingBook {
  const addresses = createLru<string, string>(MAX_ADDRESSES);
  const waiting = new Map<string, Sighting>();
  return {
    heard: (machine, address) => addresses.set(keyOf(machine), address),
    addressOf: (machine) => addresses.get(keyOf(machine)) ?? '',
    note(sighting) {
      const key = `${keyOf(sighting)} ${sighting.address}`;
      if (waiting.size < MAX_WAITING || waiting.has(key)) waiting.set(key, sighting);
    },
    async flush() {
      const all = [...waiting.values()];
      waiting.clear();
      for (const [partnerId, own] of Map.groupBy(all, (one) => one.partnerId)) {
        await store.inTenant(partnerId, (trx) => saveSightings(trx, own));
      }
    },
  };
}
