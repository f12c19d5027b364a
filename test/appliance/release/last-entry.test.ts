import type { ReleasePayload } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import t, { type Test } from 'tap';
import { createEvidence } from '../../../appliance/evidence/index.ts';
import { loadIdentity } from '../../../appliance/identity/index.ts';
import { createRelease } from '../../../appliance/release/index.ts';
import { changes, evidence, readCursor, state } from '../../../appliance/store/index.ts';
import { applianceContext, eventually } from '../../helpers/appliance-context.ts';
import { openIncident } from '../helpers/change-bodies.ts';
import { claimRows } from '../helpers/claimed.ts';

async function claimedBox(t: Test) {
  const ctx = applianceContext(t);
  const identity = await loadIdentity({ dataDir: ctx.config.dataDir, publicHosts: [] });
  const stage = createEvidence({ ctx, evk: identity.evk, timeQuality: () => 'unsynced' });
  const { applianceId, siteId, epoch } = claimRows(ctx, identity);
  await stage.settle();
  const release: ReleasePayload = {
    releaseId: newId('rel'),
    applianceId,
    epoch,
    dikFingerprint: identity.dik.fingerprint,
    siteId,
    siteName: 'Praxis',
    partnerName: 'MSP',
    by: 'Ada',
    reason: 'moved',
    orderedAtMs: 1,
  };
  const append = () => changes.append(ctx.db, { kind: 'released', refId: release.releaseId, body: release, atMs: 1 });
  const kinds = () => evidence.leaves(ctx.db, 0, 10_000).map(({ kind }) => kind);
  /** As a disk that is full for a moment. */
  async function failOnce() {
    ctx.db.exec(`CREATE TEMP TRIGGER no_room BEFORE INSERT ON evidence_leaf
      BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END`);
    await t.rejects(stage.settle(), /full/);
    ctx.db.exec('DROP TRIGGER no_room');
  }
  return { ctx, identity, stage, release, append, kinds, failOnce };
}

t.test('a write that fails loses nothing of the last batch, and nothing follows the last entry', async (t) => {
  const { ctx, stage, append, kinds, failOnce } = await claimedBox(t);
  openIncident(ctx);
  append();
  openIncident(ctx);
  await failOnce();
  t.strictSame(kinds(), ['claim']);
  await stage.settle();
  openIncident(ctx);
  append();
  await stage.settle();
  t.strictSame(kinds(), ['claim', 'incident_opened', 'released']);
  t.equal(readCursor(ctx.db, 'evidence'), changes.lastId(ctx.db), 'what comes later is passed over');
});

t.test('nor in a flood, where the next batch is made before the last one is written', async (t) => {
  const { ctx, stage, append, kinds, failOnce } = await claimedBox(t);
  for (let i = 0; i < 200; i += 1) openIncident(ctx);
  append();
  for (let i = 0; i < 1200; i += 1) openIncident(ctx);
  await failOnce();
  await stage.settle();
  t.equal(kinds().length, 202);
  t.equal(kinds().at(-1), 'released');
  t.equal(readCursor(ctx.db, 'evidence'), changes.lastId(ctx.db));
  await stage.stop();
});

t.test('a box that is leaving and whose log lacks its last entry writes it again, once', async (t) => {
  const { ctx, identity, stage, release, kinds } = await claimedBox(t);
  state.set(ctx.db, 'release', { value: release, atMs: 1 });
  const asked: string[] = [];
  const parts = {
    ctx,
    dik: identity.dik,
    evidence: stage,
    // The relay takes nothing yet.
    outbox: {
      snapshot: () => ({ evidence: { depth: 1 }, receipts: { depth: 0 }, incidents: { depth: 0 } }),
      drain: { wake: () => asked.push('drain') },
    },
    agents: { list: () => [], removeAgent: () => false },
    client: {},
    onLeft: () => t.fail('the relay does not know it yet'),
  };
  const leaving = createRelease(parts as unknown as Parameters<typeof createRelease>[0]);
  stage.start();
  leaving.start();
  t.teardown(() => Promise.all([leaving.stop(), stage.stop()]));
  await eventually('the log is closed and the relay is to hear of it', () => (asked.length > 1 ? true : undefined));
  t.strictSame(kinds(), ['claim', 'released']);
  t.equal(changes.since(ctx.db, 0, { limit: 10 }).filter(({ kind }) => kind === 'released').length, 1);
});
