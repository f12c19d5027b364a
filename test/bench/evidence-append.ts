import { sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Report } from '@sitewarden/agent-proto/agent';
import { decodeEnvelope, pae } from '@sitewarden/agent-proto/dsse';
import { privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { newId } from '@sitewarden/kit/ids';
import { createLogger } from '@sitewarden/kit/log';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import { systemClock } from '@sitewarden/kit/time';
import { createAssess } from '../../appliance/assess/index.ts';
import { parseConfig } from '../../appliance/config/index.ts';
import { createEvidence } from '../../appliance/evidence/index.ts';
import { loadIdentity } from '../../appliance/identity/index.ts';
import type { ApplianceContext } from '../../appliance/lib/context.ts';
import { createMetrics } from '../../appliance/lib/metrics.ts';
import { createSignals } from '../../appliance/lib/signals.ts';
import { agents, changes, evidence, openStore, reports, state } from '../../appliance/store/index.ts';
import { sixResults } from '../helpers/agent-client.ts';
import type { Figure } from './benches.ts';
import { figureOf } from './lib/figures.ts';

const ROUNDS = 5;
const AGENTS = 50;
/** Per agent and round: each report opens an incident or resolves it. */
const REPORTS = 70;
/** As many as an agent may have, so that none of them stops and runs so often that it counts as flapping. */
const SUBJECTS = 63;

/** The real evidence stage over changes that real reports led to; they are assessed beforehand. */
export async function run(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  const { db } = openStore(dataDir);
  try {
    const ctx = contextOf(db, dataDir);
    const { evk, dik, seal } = await loadIdentity({ dataDir, publicHosts: [] });
    claim(db, { dik: dik.publicKey, evk: evk.publicKey, seal: seal.publicKey });
    const stage = createEvidence({ ctx, evk, timeQuality: () => 'synced' });
    const assess = createAssess(ctx);
    const incidents = alternate(db);
    const key = privateKeyFromPem(readFileSync(join(dataDir, 'identity', 'evk.pem'), 'utf8'));
    await stage.settle();

    const values: number[] = [];
    const controls: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      incidents.report();
      await assess.settle();
      const before = evidence.size(db);
      const fromMs = performance.now();
      await stage.settle();
      const seconds = (performance.now() - fromMs) / 1000;
      const count = evidence.size(db) - before;
      if (count !== AGENTS * REPORTS) throw new Error(`${count} entries for ${AGENTS * REPORTS} changes`);
      values.push(count / seconds);

      const signed = evidence.leaves(db, before, count).map(({ envelope }) => {
        const { payloadType, payload } = decodeEnvelope(envelope);
        return pae(payloadType, payload);
      });
      const signFromMs = performance.now();
      for (const bytes of signed) sign(null, bytes, key);
      controls.push(count / ((performance.now() - signFromMs) / 1000));
    }
    const note = `${AGENTS * REPORTS} entries a round; an entry needs the signature of the one before, so they are made one after the other`;
    return [figureOf({ name: 'evidence-append', unit: 'entries/s', values, controls, note })];
  } finally {
    db.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function contextOf(db: SqliteDatabase, dataDir: string): ApplianceContext {
  const text = JSON.stringify({ relay: { url: 'http://127.0.0.1:9', rootKey: 'A'.repeat(43) }, dataDir });
  const config = parseConfig(text, 'bench.yaml');
  if (!config.ok) throw new Error(JSON.stringify(config.issues));
  return {
    db,
    config: config.value,
    clock: systemClock,
    log: createLogger({ name: 'bench', level: 'warn' }),
    metrics: createMetrics(),
    signals: createSignals((error) => {
      throw error;
    }),
  };
}

function claim(db: SqliteDatabase, keys: { dik: string; evk: string; seal: string }): void {
  const atMs = Date.now();
  const site = {
    applianceId: newId('app'),
    siteId: newId('site'),
    siteName: 'Main street',
    partnerName: 'Bench',
    epoch: 1,
    claimedBy: 'bench',
    claimedAtMs: atMs,
    codeId: newId('code'),
    relayHost: 'relay.bench',
  };
  const about = { serial: 'BENCH', model: 'bench', softwareVersion: '0.1.0', imageDigest: 'unpackaged' };
  state.set(db, 'claim', { value: { phase: 'claimed', site }, atMs });
  changes.append(db, { kind: 'claimed', refId: site.applianceId, body: { ...site, keys, ...about }, atMs });
}

/** Agents of which with each pair of reports another service stops and runs again. */
function alternate(db: SqliteDatabase) {
  const ids = Array.from({ length: AGENTS }, () => newId('agt'));
  const host = { hostname: 'desk', osFamily: 'linux', osVersion: 'test', agentVersion: '0.0.0' };
  for (const id of ids) agents.insert(db, { id, host, tier: 0, enrolledAtMs: Date.now() });
  let seq = 0;
  return {
    report(): void {
      withTransaction(db, () => {
        for (let index = 0; index < REPORTS; index += 1) {
          seq += 1;
          const report = sixResults(seq);
          const service = report.results[5]!;
          service.subject = `daemon-${Math.floor((seq - 1) / 2) % SUBJECTS}`;
          service.status = seq % 2 === 1 ? 2 : 1;
          service.severity = 4;
          const body = Report.encode({ ...report, results: [service] }).finish();
          for (const source of ids) reports.insert(db, { source, seq, receivedAtMs: Date.now(), body });
        }
      });
    },
  };
}
