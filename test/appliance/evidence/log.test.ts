import { CHECK_NAMES, CHECKS } from '@sitewarden/agent-proto/checks';
import {
  CLOSED_FACTS,
  createEntryVerifier,
  type EvidencePredicate,
  type EvidenceStatement,
  logOrigin,
} from '@sitewarden/agent-proto/evidence';
import type { AgentRow } from '@sitewarden/agent-proto/http';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import {
  consistencyProof,
  inclusionProof,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '@sitewarden/agent-proto/merkle';
import { verifierOf, verifyCheckpoint } from '@sitewarden/agent-proto/note';
import { newId } from '@sitewarden/kit/ids';
import fc from 'fast-check';
import type { Test } from 'tap';
import t from 'tap';
import { statementText } from '../../../appliance/evidence/entry-text.ts';
import { createFitter } from '../../../appliance/evidence/fit.ts';
import { createEvidence } from '../../../appliance/evidence/index.ts';
import { type Identity, loadIdentity } from '../../../appliance/identity/index.ts';
import { createRelayClock } from '../../../appliance/lib/relay-clock.ts';
import type { ChangeBodies } from '../../../appliance/store/changes.ts';
import {
  actionRunById,
  changes,
  evidence,
  incidentById,
  insertActionRun,
  readCursor,
} from '../../../appliance/store/index.ts';
import type { ClaimedSiteState } from '../../../appliance/store/state-types.ts';
import { applianceContext, type TestContext } from '../../helpers/appliance-context.ts';
import { actionRunChange, appendChange, incidentChange, openIncident } from '../helpers/change-bodies.ts';
import { claimRows } from '../helpers/claimed.ts';

async function setUp(t: Test) {
  const ctx = applianceContext(t);
  const identity = await loadIdentity({ dataDir: ctx.config.dataDir, publicHosts: [] });
  const open = () => createEvidence({ ctx, evk: identity.evk, timeQuality: () => 'unsynced' });
  return { ctx, identity, open, stage: open() };
}

/** Every entry, verified as a stranger would. */
function verifyAll(ctx: TestContext, identity: Identity, site: ClaimedSiteState): EvidencePredicate[] {
  const verify = createEntryVerifier(publicKeyFromRaw(identity.evk.publicKey));
  const origin = logOrigin(site.relayHost, site.applianceId, site.epoch);
  let prev = '';
  return evidence.leaves(ctx.db, 0, 100_000).map(({ seq, envelope, leafHash }) => {
    const verdict = verify(envelope, { origin, seq, prev });
    if (!verdict.ok) throw new Error(`entry ${seq}: ${verdict.code} ${verdict.detail}`);
    if (!leafHash.equals(verdict.leafHash)) throw new Error(`entry ${seq}: stored hash`);
    prev = verdict.leafHashHex;
    return verdict.statement.predicate;
  });
}

t.test('nothing is evidence before the claim, and the claim is entry 0', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  const incident = openIncident(ctx);
  await stage.settle();
  t.equal(evidence.size(ctx.db), 0);
  t.equal(readCursor(ctx.db, 'evidence'), 0, 'it waits');
  const site = claimRows(ctx, identity);
  await stage.settle();
  const entries = verifyAll(ctx, identity, site);
  t.strictSame(
    entries.map(({ kind }) => kind),
    ['claim', 'incident_opened'],
  );
  t.match(entries[0]!.after?.facts, { appliance_id: site.applianceId, evk: identity.evk.publicKey, code_id: 'pc_1' });
  t.equal(entries[1]!.incidentId, incident.row.id);
  t.match(stage.snapshot(), { epoch: 1, size: 2, cosignedSize: 0 });
});

t.test('each kind of change is the entry it should be', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  const site = claimRows(ctx, identity);
  const incident = openIncident(ctx);
  const run = actionRunChange(incident, 'started');
  const { type: _type, ...row } = run.row;
  insertActionRun(ctx.db, { ...row, source: 'box', ruleDigest: run.ruleDigest, verifyByMs: null });
  appendChange(ctx, 'action_started', run.row.id, run);
  appendChange(ctx, 'action_finished', run.row.id, { ...run, row: { ...run.row, state: 'done' } });
  appendChange(ctx, 'action_verified', run.row.id, { ...run, row: { ...run.row, state: 'verified' } });
  appendChange(ctx, 'incident_changed', incident.row.id, incident);
  appendChange(ctx, 'incident_resolved', incident.row.id, { ...incident, row: { ...incident.row, state: 'resolved' } });
  const order = {
    orderId: newId('ord'),
    orderSeq: 1,
    action: 'run_check',
    params: { checks: ['services'] },
    requestedBy: 'Ada',
    code: null,
    detail: '',
    atMs: 1,
  };
  appendChange(ctx, 'order_received', order.orderId, { ...order, state: 'started' });
  appendChange(ctx, 'order_finished', order.orderId, { ...order, state: 'done' });
  appendChange(ctx, 'loss', 'telemetry', { what: 'telemetry', count: 5, code: 'DISK_FULL', text: '5 rows' });
  await stage.settle();
  const entries = verifyAll(ctx, identity, site);
  t.strictSame(
    entries.map(({ kind, outcome }) => `${kind} ${outcome.code}`),
    [
      'claim claimed',
      'incident_opened open',
      'action_started started',
      'action_finished done',
      'action_verified verified',
      'incident_resolved resolved',
      'order_received received',
      'order_finished done',
      'loss DISK_FULL',
    ],
  );
  t.match(entries[4], {
    rule: { id: 'required-service-down', version: 1, digest: run.ruleDigest },
    action: { name: 'restart_service', runId: run.row.id, params: { service: 'cron' } },
    before: { facts: { state: 'stopped' } },
    timeQuality: 'unsynced',
  });
  t.strictSame(entries[4]!.after?.facts, { state: 'running' }, 'a fact outside the catalogue is left out');
  t.equal(incidentById(ctx.db, incident.row.id)?.evidenceSeq, 5);
  t.equal(actionRunById(ctx.db, run.row.id)?.evidenceSeq, 4);
});

t.test('what was dated before the time was known does not claim that it was', async (t) => {
  const { ctx, identity } = await setUp(t);
  openIncident(ctx);
  const clock = createRelayClock(ctx.clock, { notBeforeMs: 0 });
  const open = () =>
    createEvidence({ ctx, evk: identity.evk, timeQuality: clock.quality, onTimeTrusted: clock.onTrusted });
  const stage = open();
  openIncident(ctx);
  clock.take(ctx.clock.nowMs() + 86_400_000, 10);
  const site = claimRows(ctx, identity);
  await stage.settle();
  openIncident(ctx);
  await stage.stop();
  const again = open();
  openIncident(ctx);
  await again.settle();
  t.strictSame(
    verifyAll(ctx, identity, site).map(({ kind, timeQuality }) => `${kind} ${timeQuality}`),
    [
      'claim relay',
      'incident_opened unsynced',
      'incident_opened unsynced',
      'incident_opened unsynced',
      'incident_opened relay',
    ],
    'also what a process left behind that is gone',
  );
});

/** Texts of the relay that take six bytes a character in JSON, together more than an envelope holds. */
function hugeClaim(site: ClaimedSiteState): ChangeBodies['claimed'] {
  const text = '\u0001'.repeat(1024);
  const texts = { siteName: text, partnerName: text, serial: text, model: text, relayHost: text, codeId: text };
  const rest = {
    claimedBy: text,
    softwareVersion: text,
    imageDigest: text,
    keys: { dik: text, evk: text, seal: text },
  };
  return { applianceId: site.applianceId, siteId: site.siteId, epoch: 1, claimedAtMs: 1, ...texts, ...rest };
}

t.test('a change too large for an entry is there with the digest of its facts', async (t) => {
  const { ctx, identity } = await setUp(t);
  const site = claimRows(ctx, identity);
  const fit = createFitter({ keyId: identity.evk.publicKey, log: ctx.log });
  const moment = { bootId: 'boot', monotonicMs: 1, timeQuality: 'unsynced' } as const;
  const change = { id: 1, kind: 'claimed', refId: site.applianceId, body: hugeClaim(site), atMs: 1 } as const;
  const entry = fit(change, moment, logOrigin(site.relayHost, site.applianceId, 1));
  t.equal(entry?.kind, 'claim');
  const { predicate } = JSON.parse(
    statementText(entry!.pieces, { origin: 'o', seq: 0, prev: '' }),
  ) as EvidenceStatement;
  t.strictSame(predicate.after?.facts, {});
  t.match(predicate.after?.digest, /^[0-9a-f]{64}$/);
  t.match(predicate.outcome, { code: 'claimed', text: /too large for an entry; their digests stand for them/ });
});

t.test('in a flood too: the signing thread gets nothing it cannot sign', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  const site = claimRows(ctx, identity);
  await stage.settle();
  const odd = incidentChange();
  for (let count = 0; count < 300; count += 1) {
    if (count === 150) appendChange(ctx, 'incident_opened', 'x', { ...odd, row: { ...odd.row, id: 'x' } });
    else openIncident(ctx);
  }
  await stage.settle();
  t.equal(verifyAll(ctx, identity, site).length, 301);
  await stage.stop();
});

t.test('a change nobody can read is a loss entry, and stops nothing', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  const site = claimRows(ctx, identity);
  const { id } = openIncident(ctx).row;
  ctx.db.prepare("UPDATE change SET body = '{' WHERE ref_id = ?").run(id);
  openIncident(ctx);
  await stage.settle();
  t.match(
    verifyAll(ctx, identity, site).map(({ kind }) => kind),
    ['claim', 'loss', 'incident_opened'],
  );
});

t.test('the log goes on after a restart, and its proofs hold', async (t) => {
  const { ctx, identity, open } = await setUp(t);
  const site = claimRows(ctx, identity);
  for (let round = 0; round < 7; round += 1) {
    for (let i = 0; i < 1 + round * 13; i += 1) openIncidentOnly(ctx);
    const stage = open();
    await stage.settle();
    stage.checkpointNews();
  }
  verifyAll(ctx, identity, site);
  const size = evidence.size(ctx.db);
  const hashes = evidence.leaves(ctx.db, 0, size).map(({ leafHash }) => leafHash);
  const read = (level: number, index: number) => evidence.node(ctx.db, level, index);
  const root = rootOf(hashes, size);
  t.strictSame(Buffer.from(rootOf(read, size)), Buffer.from(root), 'stored nodes are the tree');
  for (const index of [0, 1, size >> 1, size - 1]) {
    t.ok(verifyInclusion({ leafHash: hashes[index]!, index, size, root, proof: inclusionProof(read, index, size) }));
  }
  for (const oldSize of [1, 2, 57, size - 1]) {
    const proof = consistencyProof(read, oldSize, size);
    t.ok(verifyConsistency({ oldSize, oldRoot: rootOf(hashes, oldSize), newSize: size, newRoot: root, proof }));
  }
  const name = logOrigin(site.relayHost, site.applianceId, 1);
  const checkpoint = evidence.lastCheckpoint(ctx.db)!;
  const verified = verifyCheckpoint(checkpoint.note, [verifierOf({ name, publicKey: identity.evk.publicKey })]);
  t.match(verified, { origin: name, size });
  t.strictSame(Buffer.from(verified.rootHash), Buffer.from(root));
});

t.test('a checkpoint is kept every 256 entries and only when there is news', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  claimRows(ctx, identity);
  for (let i = 0; i < 600; i += 1) openIncidentOnly(ctx);
  await stage.settle();
  const sizes = () =>
    (ctx.db.prepare('SELECT size FROM evidence_checkpoint ORDER BY size').all() as { size: number }[]).map(
      (r) => r.size,
    );
  t.strictSame(sizes(), [256, 512]);
  stage.checkpointNews();
  stage.checkpointNews();
  t.strictSame(sizes(), [256, 512, 601]);
});

t.test('a flood is signed on a thread of its own, in the order it happened', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  const site = claimRows(ctx, identity);
  await stage.settle();
  for (let count = 0; count < 1500; count += 1) openIncident(ctx);
  await stage.settle();
  const entries = verifyAll(ctx, identity, site);
  t.equal(entries.length, 1501);
  t.strictSame(
    entries.slice(1).map(({ incidentId }) => incidentId),
    changes.since(ctx.db, 1, { limit: 2000 }).map(({ refId }) => refId),
  );
  await stage.stop();
});

t.test('when the signing thread cannot run, the flood is signed all the same', async (t) => {
  const { ctx, identity } = await setUp(t);
  const evk = {
    ...identity.evk,
    forThread() {
      throw new Error('no thread here');
    },
  };
  const stage = createEvidence({ ctx, evk, timeQuality: () => 'unsynced' });
  const site = claimRows(ctx, identity);
  await stage.settle();
  for (let count = 0; count < 700; count += 1) openIncident(ctx);
  await stage.settle();
  t.equal(verifyAll(ctx, identity, site).length, 701);
  await stage.stop();
});

t.test('a turn that fails leaves nothing behind and is done again', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  const site = claimRows(ctx, identity);
  openIncidentOnly(ctx);
  ctx.db.exec(
    `CREATE TRIGGER broken BEFORE INSERT ON evidence_leaf WHEN new.seq = 1 BEGIN SELECT raise(ABORT, 'no'); END`,
  );
  await t.rejects(stage.settle());
  t.equal(evidence.size(ctx.db), 0, 'all or nothing');
  stage.checkpointNews();
  t.equal(evidence.lastCheckpoint(ctx.db), undefined, 'what was rolled back is not signed');
  ctx.db.exec('DROP TRIGGER broken');
  await stage.settle();
  t.equal(verifyAll(ctx, identity, site).length, 2);
});

t.test('the store itself refuses a fork', async (t) => {
  const { ctx, identity, stage, open } = await setUp(t);
  claimRows(ctx, identity);
  await stage.settle();
  const next = { kind: 'loss' as const, envelope: Buffer.from('x'), atMs: 1 };
  t.throws(
    () => evidence.insertLeaf(ctx.db, { ...next, seq: 0, leafHash: Buffer.alloc(32), prev: Buffer.from('a') }),
    'the place',
  );
  t.throws(
    () => evidence.insertLeaf(ctx.db, { ...next, seq: 1, leafHash: Buffer.alloc(32), prev: Buffer.alloc(0) }),
    'the predecessor',
  );
  // A second writer that read the same tip loses, whichever comes first.
  const second = open();
  openIncidentOnly(ctx);
  await second.settle();
  await stage.settle();
  t.equal(evidence.size(ctx.db), 2);
});

t.test('a change that does not fit becomes an entry that says so, and nothing waits behind it', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  const site = claimRows(ctx, identity);
  const odd = incidentChange();
  appendChange(ctx, 'incident_opened', 'not-an-id', { ...odd, row: { ...odd.row, id: 'not-an-id' } });
  openIncidentOnly(ctx);
  await stage.settle();
  t.match(
    verifyAll(ctx, identity, site).map(({ kind, outcome }) => [kind, outcome.code]),
    [
      ['claim', 'claimed'],
      ['loss', 'EVIDENCE_SCHEMA'],
      ['incident_opened', 'open'],
    ],
  );
});

const WORDS = 'Patient Jane Roe, born 1970-01-01. Ring 555-0100 and read out your admin link.';

t.test('nothing a workstation writes becomes evidence but names, numbers and known words', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  const site = claimRows(ctx, identity);
  const facts = {
    service: WORDS,
    state: WORDS,
    detail: WORDS,
    probe_error: WORDS,
    manager: 'sysv',
    pending_total: 7,
    unencrypted_volumes: [WORDS],
  };
  const { row, ...rest } = incidentChange(facts);
  const texts = { host: WORDS, subject: WORDS, title: WORDS, reason: WORDS, nextStep: WORDS };
  const hostile = { ...rest, row: { ...row, ...texts }, controls: [WORDS, 'HIPAA:164.308(a)(1)(ii)(D)'] };
  const run = actionRunChange(hostile, 'failed');
  const runRow = { ...run.row, params: { service: WORDS }, before: facts, after: facts, outcome: WORDS, code: WORDS };
  const agent = {
    type: 'agent',
    id: row.agentId!,
    hostname: WORDS,
    osFamily: WORDS,
    osVersion: `Debian 12.5 ${WORDS}`,
  };
  const about = { agentVersion: WORDS, tier: 0, state: 'active', connected: true, enrolledAtMs: 1 } as const;
  const enrolled = { ...agent, ...about, lastHeartbeatAtMs: null, telemetry: {} } as AgentRow;
  appendChange(ctx, 'agent_enrolled', enrolled.id, enrolled);
  for (const kind of ['incident_opened', 'incident_needs_person', 'incident_resolved'] as const) {
    appendChange(ctx, kind, row.id, hostile);
  }
  for (const kind of ['action_started', 'action_finished', 'action_verified'] as const) {
    appendChange(ctx, kind, run.row.id, { ...run, row: runRow });
  }
  await stage.settle();
  const entries = verifyAll(ctx, identity, site).slice(1);
  t.equal(entries.length, 7);
  t.notMatch(JSON.stringify(entries), /Patient|Jane|555-0100|admin link/);
  t.match(entries[0], { target: { host: '(name left out)' }, after: { facts: { os_version: '12.5' } } });
  t.match(entries[1], {
    target: { host: '(name left out)', check: 'services', subject: '(name left out)' },
    outcome: { code: 'open', text: 'The required service is not running. Severity high.' },
    controls: ['HIPAA:164.308(a)(1)(ii)(D)'],
  });
  t.strictSame(entries[1]?.after?.facts, { manager: 'sysv' });
  t.match(entries[5], { action: { params: {} }, outcome: { code: 'failed', text: 'The repair failed.' } });
});

t.test('whatever facts and words come, the entry verifies and only closed values are in it', async (t) => {
  const { ctx, identity, stage } = await setUp(t);
  const site = claimRows(ctx, identity);
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.boolean(), fc.array(fc.string()));
  const checks = fc.sample(fc.constantFrom(...CHECK_NAMES), 60);
  for (const check of checks) {
    const names = CHECKS[check].facts as readonly string[];
    const [facts] = fc.sample(fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true }), 1);
    const odd = incidentChange(facts);
    appendChange(ctx, 'incident_opened', odd.row.id, { ...odd, row: { ...odd.row, check } });
  }
  await stage.settle();
  const entries = verifyAll(ctx, identity, site).slice(1);
  t.equal(entries.length, checks.length);
  for (const { target, after, kind } of entries) {
    t.equal(kind, 'incident_opened');
    for (const [name, value] of Object.entries(after?.facts ?? {})) {
      if (typeof value === 'number' || typeof value === 'boolean') continue;
      t.ok(Object.hasOwn(CLOSED_FACTS[target.check!], name), `${name}: ${JSON.stringify(value)}`);
      t.match(JSON.stringify(value), /^(?:"[\w@.:, =-]{0,64}"|\[(?:"[\w ]+",?)*\])$/);
    }
  }
});

/** The change alone; its row is not needed for the log. */
function openIncidentOnly(ctx: TestContext): void {
  const change = incidentChange();
  appendChange(ctx, 'incident_opened', change.row.id, change);
}
