import { newId } from '@sitewarden/kit/ids';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import { createLoop } from '../lib/loop.ts';
import { changes, devices, isDiskFault, prepared } from '../store/index.ts';
import { listenMdns, type MdnsListener } from './mdns-listener.ts';
import { type Merge, merge } from './merge.ts';
import { observeNeighbours, readNeighbours } from './neighbours.ts';
import { ownNetworks } from './networks.ts';

export interface Discovery extends LifecyclePart {
  /** Looks now. */
  settle(): Promise<void>;
  snapshot(): DiscoverySnapshot;
}

export interface DiscoverySnapshot {
  readonly isEnabled: boolean;
  /** Networks looked at now, like 192.168.7.0/24. */
  readonly networks: readonly string[];
  /** The interfaces the configuration names; undefined: all with a private address. */
  readonly interfaces: readonly string[] | undefined;
}

const LOOK_EVERY_MS = 15_000;
/** Announcements come in bursts: one look for all of a burst. */
const HEARD_DELAY_MS = 500;
/** A device not seen for a season is not part of the site any more. */
const FORGET_AFTER_MS = 90 * 24 * 3600 * 1000;

export const DISCOVERY_SQL = { remove: 'DELETE FROM device WHERE id = ?' } as const;

/**
 * Finds devices by what they send anyway: the kernel's neighbour table and multicast DNS. Nothing is scanned and nobody
 * is asked, so it disturbs no medical device. Does nothing when the configuration says so.
 */
export function createDiscovery(ctx: ApplianceContext): Discovery {
  const { clock, config, log, signals } = ctx;
  let listener: MdnsListener | undefined;
  let heardTimer: NodeJS.Timeout | undefined;

  async function look(): Promise<boolean> {
    const networks = ownNetworks(config.discovery.interfaces);
    listener?.watch(networks);
    const nowMs = clock.nowMs();
    const neighbours = observeNeighbours(await readNeighbours(), networks, nowMs);
    const observations = [...neighbours, ...(listener?.take() ?? [])];
    const found = merge(devices.list(ctx.db), observations, () => newId('dev'));
    if (found.refused > 0) log.warn({ refused: found.refused }, 'more devices than are kept');
    if (write(ctx.db, found, nowMs)) signals.emit('change');
    return false;
  }

  const loop = createLoop({
    name: 'discovery',
    log,
    pollMs: LOOK_EVERY_MS,
    turn: look,
    onError(error) {
      if (isDiskFault(error)) signals.emit('diskFault', { error });
    },
  });

  return {
    name: 'discovery',
    start() {
      if (!config.discovery.enabled) return;
      listener = listenMdns({
        log,
        nowMs: clock.nowMs,
        onHeard: () => {
          heardTimer = setTimeout(loop.wake, HEARD_DELAY_MS);
        },
      });
      loop.start();
    },
    async stop() {
      clearTimeout(heardTimer);
      await loop.stop();
      await listener?.stop();
      listener = undefined;
    },
    settle: loop.settle,
    snapshot() {
      const { enabled, interfaces } = config.discovery;
      return { isEnabled: enabled, interfaces, networks: ownNetworks(interfaces).map(({ cidr }) => cidr) };
    },
  };
}

/** True when anything was announced. */
function write(db: SqliteDatabase, { puts, removedIds }: Merge, nowMs: number): boolean {
  const forgotten = withTransaction(db, () => {
    for (const id of removedIds) prepared<[string]>(db, DISCOVERY_SQL.remove).run(id);
    for (const device of puts) {
      devices.put(db, device);
      changes.append(db, { kind: 'device_seen', refId: device.id, body: devices.toRow(device), atMs: nowMs });
    }
    return devices.prune(db, nowMs - FORGET_AFTER_MS);
  });
  return puts.length > 0 || forgotten > 0;
}
