import { Registry } from 'prom-client';
import {
  createIngestMetrics,
  createIngestService,
  type IngestDeps,
  type IngestService,
} from '../../relay/ingest/index.ts';
import { createLiveBus, type LiveBus } from '../../relay/live/index.ts';
import type { Store, Tx } from '../../relay/store/index.ts';
import { readLog } from '../../relay/store/repositories/evidence.ts';
import { seedPartner, seedSite, type TestClock, testClock } from './relay.ts';
import { type SimBox, seedBox } from './sim-box.ts';

export interface IngestRig {
  store: Store;
  clock: TestClock;
  bus: LiveBus;
  registry: Registry;
  service: IngestService;
  partnerId: string;
  siteId: string;
  sim: SimBox;
  ingest(body: Buffer): ReturnType<IngestService['ingest']>;
  within<T>(fn: (trx: Tx) => Promise<T>): Promise<T>;
}

export async function ingestRig(store: Store, over: Partial<IngestDeps> = {}): Promise<IngestRig> {
  const clock = testClock(1_800_000_000_000);
  const bus = createLiveBus();
  const registry = new Registry();
  const partnerId = await seedPartner(store);
  const { siteId } = await seedSite(store, partnerId);
  const sim = await seedBox(store, { partnerId, siteId });
  const service = createIngestService({ store, clock, bus, metrics: createIngestMetrics(registry), ...over });
  return {
    store,
    clock,
    bus,
    registry,
    service,
    partnerId,
    siteId,
    sim,
    ingest: (body) => service.ingest(sim.box, body),
    within: (fn) => store.inTenant(partnerId, fn),
  };
}

/** Everything evidence leaves in the store. */
export async function evidenceRows({ within, sim }: IngestRig) {
  return within(async (trx) => ({
    log: await readLog(trx, sim.box),
    entries: await trx.selectFrom('evidence_entry').selectAll().orderBy('seq').execute(),
    nodes: (await trx.selectFrom('evidence_node').selectAll().execute()).length,
    positions: await trx.selectFrom('outbox_position').select(['lane', 'acked_through']).execute(),
    audit: (await trx.selectFrom('audit_event').select('action').execute()).map(({ action }) => action),
  }));
}
