import type { BoxDirectory } from '../accounts/index.ts';
import type { RelayKeyring } from '../keys/index.ts';
import type { LiveBus } from '../live/index.ts';
import type { Store } from '../store/index.ts';

/** What claiming needs of the rest of the program. */
export interface ClaimDeps {
  readonly store: Store;
  readonly keys: RelayKeyring;
  readonly live: LiveBus;
  readonly boxes: BoxDirectory;
  readonly publicUrl: () => string;
}

/** Which pages of which tenant to refresh, and which boxes changed: told after the commit. */
export interface ClaimAftermath {
  readonly partnerId: string;
  readonly siteId: string | null;
  /** Appliances that were made or taken out of service. */
  readonly appliances: readonly string[];
}

export function announce({ live, boxes }: ClaimDeps, aftermath: ClaimAftermath, atMs: number): void {
  const { partnerId, siteId, appliances } = aftermath;
  for (const id of appliances) boxes.forget(id);
  live.publish(partnerId, { kind: 'claims', siteId, atMs });
  if (appliances.length > 0) live.publish(partnerId, { kind: 'site', siteId, atMs });
}
