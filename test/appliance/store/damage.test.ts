import { closeSync, cpSync, existsSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEntryVerifier, logOrigin } from '@sitewarden/agent-proto/evidence';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { rootOf } from '@sitewarden/agent-proto/merkle';
import type { Test } from 'tap';
import t from 'tap';
import { createEvidence } from '../../../appliance/evidence/index.ts';
import { type Identity, loadIdentity } from '../../../appliance/identity/index.ts';
import {
  advanceCursor,
  agents,
  certificates,
  changes,
  evidence,
  openStore,
  outbox,
  readCursor,
  reports,
  state,
} from '../../../appliance/store/index.ts';
import { createSiteFile } from '../../../appliance/store/site-file.ts';
import type { ClaimedSiteState } from '../../../appliance/store/state-types.ts';
import { applianceContext } from '../../helpers/appliance-context.ts';
import { openIncident } from '../helpers/change-bodies.ts';
import { claimRows } from '../helpers/claimed.ts';

const ENTRIES = 120;
const AGENT = `agt_${'a'.repeat(26)}`;

interface Box {
  readonly dir: string;
  readonly identity: Identity;
  readonly site: ClaimedSiteState;
}

/** A data folder as a box that worked for a while leaves it. */
async function makeBox(t: Test): Promise<Box> {
  const ctx = applianceContext(t);
  const { db } = ctx;
  const dir = ctx.config.dataDir;
  const identity = await loadIdentity({ dataDir: dir, publicHosts: [] });
  const site = claimRows(ctx, identity);
  const host = { hostname: 'pc', osFamily: 'linux', osVersion: '', agentVersion: '' };
  agents.insert(db, { id: AGENT, host, tier: 0, enrolledAtMs: 1 });
  certificates.insert(db, { serial: 'ab', agentId: AGENT, notAfterMs: 9 });
  for (let seq = 1; seq <= 400; seq += 1) {
    reports.insert(db, { source: AGENT, seq, receivedAtMs: seq, body: Buffer.alloc(300, seq) });
  }
  agents.setAckedThrough(db, AGENT, 400);
  advanceCursor(db, 'assess', 390);
  for (let i = 1; i < ENTRIES; i += 1) openIncident(ctx);
  const { marks, db: second } = openStore(dir);
  const stage = createEvidence({ ctx, evk: identity.evk, timeQuality: () => 'unsynced', marks });
  await stage.settle();
  marks.raiseReport(400);
  marks.close();
  second.close();
  outbox.openLane(db, 'incidents', 1);
  const row = (i: number) => ({ body: Buffer.from(`row ${i}`.padEnd(200)), createdAtMs: 1 });
  outbox.append(
    db,
    'incidents',
    Array.from({ length: 200 }, (_, i) => row(i)),
  );
  outbox.acknowledge(db, 'incidents', 50);
  const siteFile = createSiteFile(ctx);
  await siteFile.start();
  await siteFile.stop();
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return { dir, identity, site };
}

function copyOf(t: Test, { dir }: Box): string {
  const to = mkdtempSync(join(tmpdir(), 'sitewarden-damage-'));
  t.teardown(() => rmSync(to, { recursive: true, force: true }));
  cpSync(dir, to, { recursive: true });
  return to;
}

/** Small, seeded: a failure can be repeated. */
function random(seed: number): () => number {
  let value = seed;
  return () => {
    value = (Math.imul(value, 1664525) + 1013904223) >>> 0;
    return value / 2 ** 32;
  };
}

function overwrite(path: string, { at, length, next }: { at: number; length: number; next: () => number }): void {
  const fd = openSync(path, 'r+');
  const bytes = Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)));
  writeSync(fd, bytes, 0, length, at);
  closeSync(fd);
}

/** What must hold of any store that was opened, whatever happened to the one before. */
function assertSound(t: Test, dir: string, box: Box): ReturnType<typeof openStore> {
  const store = openStore(dir);
  const { db } = store;
  const claim = state.get(db, 'claim');
  t.equal(claim?.phase === 'claimed' && claim.site.applianceId, box.site.applianceId, 'it knows whose it is');
  const verify = createEntryVerifier(publicKeyFromRaw(box.identity.evk.publicKey));
  const origin = logOrigin(box.site.relayHost, box.site.applianceId, 1);
  let prev = '';
  const hashes: Uint8Array[] = [];
  for (const { seq, envelope } of evidence.leaves(db, 0, 1000)) {
    const verdict = verify(envelope, { origin, seq, prev });
    if (!verdict.ok) throw new Error(`${seq} ${verdict.code}`);
    prev = verdict.leafHashHex;
    hashes.push(verdict.leafHash);
  }
  if (hashes.length > 0) {
    const read = (level: number, index: number) => evidence.node(db, level, index);
    t.strictSame(
      Buffer.from(rootOf(read, hashes.length)),
      Buffer.from(rootOf(hashes, hashes.length)),
      'the tree holds',
    );
  }
  t.equal(store.lostEvidence, ENTRIES - hashes.length, 'what is missing of the log is known');
  for (const stage of ['assess', 'evidence', 'outbox'] as const) {
    const table = stage === 'assess' ? 'report' : 'change';
    const last = (db.prepare(`SELECT coalesce(max(id), 0) FROM ${table}`).pluck().get() as number) ?? 0;
    t.ok(readCursor(db, stage) <= last, `${stage} skips nothing new`);
  }
  const lane = outbox.lane(db, 'incidents');
  if (lane !== undefined) {
    const seqs = outbox.batch(db, 'incidents', { fromSeq: 0, limit: 1000 }).map(({ seq }) => seq);
    t.strictSame(
      seqs,
      Array.from({ length: seqs.length }, (_, i) => lane.ackedThrough + 1 + i),
      'no hole in the lane',
    );
    t.equal(lane.nextSeq, lane.ackedThrough + 1 + seqs.length);
  }
  return store;
}

const close = ({ db, marks }: ReturnType<typeof openStore>) => {
  marks.close();
  db.close();
};

t.test('a whole database is opened as it is', async (t) => {
  const box = await makeBox(t);
  const store = assertSound(t, box.dir, box);
  t.equal(store.setAside, undefined);
  t.equal(store.lostEvidence, 0);
  t.equal(changes.since(store.db, 0, { limit: 1000 }).filter(({ kind }) => kind === 'loss').length, 0);
  close(store);
});

t.test('a damaged one is kept aside, what can be read comes over, and the loss is written down', async (t) => {
  const box = await makeBox(t);
  const size = statSync(join(box.dir, 'appliance.db')).size;
  let salvaged = 0;
  for (let seed = 1; seed <= 25; seed += 1) {
    const next = random(seed);
    const dir = copyOf(t, box);
    const at = Math.floor(next() * (size - 5000));
    overwrite(join(dir, 'appliance.db'), { at, length: 50 + Math.floor(next() * 4000), next });
    const began = performance.now();
    const store = assertSound(t, dir, box);
    t.ok(performance.now() - began < 10_000, 'within ten seconds');
    if (store.setAside !== undefined) {
      t.ok(existsSync(store.setAside.path), 'the damaged file is kept');
      const losses = changes.since(store.db, 0, { limit: 10_000 }).filter(({ kind }) => kind === 'loss');
      t.ok(losses.length >= 1, 'the loss is in the ledger');
      salvaged += store.setAside.salvaged.rows;
    }
    close(store);
  }
  t.ok(salvaged > 1000, `${salvaged} rows were brought over`);
});

t.test('a file that is no database any more costs the rows, not the claim', async (t) => {
  const box = await makeBox(t);
  overwrite(join(box.dir, 'appliance.db'), { at: 0, length: 100, next: random(7) });
  const store = assertSound(t, box.dir, box);
  t.ok(store.setAside);
  t.equal(store.lostEvidence, ENTRIES, 'the mark beside the database remembers');
  close(store);
});

t.test('a tail that is gone is noticed by the marks, and only once', async (t) => {
  const box = await makeBox(t);
  const first = openStore(box.dir);
  first.db.exec('DELETE FROM report WHERE id > 380; DELETE FROM evidence_leaf WHERE seq >= 115');
  close(first);
  const second = openStore(box.dir);
  t.equal(second.lostEvidence, 5);
  const losses = () =>
    changes
      .since(second.db, 0, { limit: 1000 })
      .flatMap(({ kind, body }) =>
        kind === 'loss' ? [`${(body as { what: string }).what} ${(body as { count: number }).count}`] : [],
      );
  t.strictSame(losses(), ['report 20', 'evidence 5']);
  close(second);
  const third = openStore(box.dir);
  t.strictSame(
    changes.since(third.db, 0, { limit: 1000 }).filter(({ kind, refId }) => kind === 'loss' && refId === 'report')
      .length,
    1,
  );
  t.equal(third.lostEvidence, 5, 'the log stays closed');
  close(third);
});

t.test('a log with a missing tail stands still instead of forking', async (t) => {
  const ctx = applianceContext(t);
  const identity = await loadIdentity({ dataDir: ctx.config.dataDir, publicHosts: [] });
  claimRows(ctx, identity);
  const stage = createEvidence({ ctx, evk: identity.evk, timeQuality: () => 'unsynced', lostEntries: 3 });
  openIncident(ctx);
  await stage.settle();
  stage.checkpointNews();
  t.equal(evidence.size(ctx.db), 0);
  t.equal(evidence.lastCheckpoint(ctx.db), undefined);
  t.equal(stage.doneThrough(), changes.lastId(ctx.db), 'the other lanes do not wait for it');
});
