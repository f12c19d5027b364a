import type { BoxDirectory } from '../accounts/index.ts';
import type { RelayKeyring } from '../keys/index.ts';
import type { LiveBus } from '../live/index.ts';

/** What giving up and taking over boxes needs of the rest of the program. */
export interface CustodyDeps {
  readonly keys: RelayKeyring;
  readonly live: LiveBus;
  readonly boxes: BoxDirectory;
}

/** After the commit: what is cached about the box is out of date, and so are the pages of its site. */
export function announceCustody(
  { live, boxes }: CustodyDeps,
  { partnerId, siteId, applianceId, atMs }: { partnerId: string; siteId: string; applianceId: string; atMs: number },
): void {
  boxes.forget(applianceId);
  live.publish(partnerId, { kind: 'site', siteId, atMs });
}
