import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@sitewarden/kit/log';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import { systemClock } from '@sitewarden/kit/time';
import { loadIdentity } from '../../appliance/identity/index.ts';
import { createMetrics } from '../../appliance/lib/metrics.ts';
import { createRelayClient } from '../../appliance/lib/relay-client.ts';
import { createRelayClock } from '../../appliance/lib/relay-clock.ts';
import { createSignals } from '../../appliance/lib/signals.ts';
import { nextBatch } from '../../appliance/outbox/batch.ts';
import { createLaneSender } from '../../appliance/outbox/send-lane.ts';
import { openStore, outbox } from '../../appliance/store/index.ts';
import type { Figure } from './benches.ts';
import { startChild } from './lib/child.ts';
import { figureOf } from './lib/figures.ts';

const ROUNDS = 5;
const ROWS = 50_000;
const BATCH = 1000;

/** The sender of a lane with its signed requests and its settling on disk, to a server that only acknowledges. */
export async function run(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  const { child, ready } = await startChild<object, object, { port: number }>('outbox-sink.ts');
  const url = `http://127.0.0.1:${ready.port}`;
  const { db } = openStore(dataDir);
  const { dik } = await loadIdentity({ dataDir, publicHosts: [] });
  const client = createRelayClient({
    url,
    clock: systemClock,
    relayClock: createRelayClock(systemClock, { notBeforeMs: 0 }),
    sign: dik.signRequest,
    userAgent: 'bench',
    hasRelayKeys: () => false,
    takeRelayKeys: () => {},
    timeProbe: () => ({ method: 'GET', path: '/' }),
    readSignedTime: () => undefined,
  });
  const ctx = {
    db,
    clock: systemClock,
    log: createLogger({ name: 'bench', level: 'warn' }),
    metrics: createMetrics(),
    signals: createSignals((error) => {
      throw error;
    }),
  };
  const sender = createLaneSender(ctx, client, { tellAgain: () => 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    outbox.openLane(db, 'telemetry', 1);
    const values: number[] = [];
    const controls: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      fill(db);
      const bodies = bodiesOf(db);
      const fromMs = performance.now();
      for (let sent = 0; sent < ROWS; ) sent += await sender.send('telemetry', BATCH);
      const value = ROWS / ((performance.now() - fromMs) / 1000);
      const bareFromMs = performance.now();
      for (const body of bodies) await post(`${url}/api/appliances/outbox`, body, agent);
      const control = ROWS / ((performance.now() - bareFromMs) / 1000);
      // The first round warms both up.
      if (round > 0) values.push(value);
      if (round > 0) controls.push(control);
    }
    const note = `${ROWS} rows of 400 bytes in batches of ${BATCH}, one request at a time`;
    return [figureOf({ name: 'outbox-drain', unit: 'rows/s', values, controls, note })];
  } finally {
    agent.destroy();
    client.close();
    db.close();
    await child.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Rows as the lanes have them: text of one line. */
function fill(db: SqliteDatabase): void {
  for (let made = 0; made < ROWS; made += BATCH) {
    const rows = Array.from({ length: BATCH }, () => ({
      body: Buffer.from(JSON.stringify({ type: 'bench', text: randomBytes(185).toString('hex') })),
      createdAtMs: Date.now(),
    }));
    withTransaction(db, () => outbox.append(db, 'telemetry', rows));
  }
}

/** The very bytes that the sender is about to send. */
function bodiesOf(db: SqliteDatabase): Buffer[] {
  const bodies: Buffer[] = [];
  const { ackedThrough, epoch } = outbox.lane(db, 'telemetry')!;
  for (let fromSeq = ackedThrough + 1; ; fromSeq += BATCH) {
    const batch = nextBatch(db, { lane: 'telemetry', epoch, fromSeq, maxRows: BATCH });
    if (batch === undefined) return bodies;
    bodies.push(batch.body);
  }
}

function post(url: string, body: Buffer, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        JSON.parse(Buffer.concat(chunks).toString('utf8'));
        resolve();
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
