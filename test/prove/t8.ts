import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import { systemClock } from '@sitewarden/kit/time';
import { createIngestService } from '../../relay/ingest/index.ts';
import { createLiveBus } from '../../relay/live/index.ts';
import { openStore, type Store } from '../../relay/store/index.ts';
import { ENTRIES, type Running, startProgram } from '../../scripts/lib/programs.ts';
import { initRelay, makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { signIn } from '../../scripts/lib/staff-client.ts';
import { readQr, TestBox } from '../helpers/box.ts';
import { type HttpProxy, startHttpProxy, type Verdict } from '../helpers/http-proxy.ts';
import { seedPartner, seedSite } from '../helpers/relay.ts';
import { seedBox } from '../helpers/sim-box.ts';
import { outboxBody, SimLog } from '../helpers/sim-log.ts';
import { incidentRow } from '../helpers/sim-rows.ts';
import { seededRandom } from './lib/random.ts';
import type { ProofResult } from './promises.ts';

const BATCH = 100;

/**
 * Effect exactly once: a box sends its log and its incidents through a proxy that loses 20 % of the answers and doubles
 * 10 % of the requests, while the relay is killed again and again. Afterwards the relay's own tree must have the box's
 * root over every entry, which a lost, doubled or reordered entry cannot give, and triggers inside the database must have
 * counted one write for each incident. The control is the same ingest without its position, under the same proxy.
 */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const events = full ? 100_000 : 1_500;
  const kept = await againstRelay(events, full ? 40 : 5, seed);
  const doubled = await withoutPosition(full ? 5_000 : 1_000, seed);
  return {
    cases: events,
    failures: kept.failures,
    control: {
      expectedToFail: true,
      failed: doubled > 0,
      detail: `without a position ${doubled} rows had their effect again`,
    },
    detail: kept.detail,
  };
}

/** Lets the engine itself count every write of an incident, whatever the code above it believes. */
async function countWrites(store: Store): Promise<void> {
  await store.sqliteBatch?.((db) => {
    db.exec('CREATE TABLE proof_write (id TEXT NOT NULL)');
    for (const verb of ['INSERT', 'UPDATE']) {
      db.exec(
        `CREATE TRIGGER proof_${verb} AFTER ${verb} ON incident BEGIN INSERT INTO proof_write VALUES (new.id); END`,
      );
    }
  });
}

async function readWrites(store: Store): Promise<string[]> {
  const ids = await store.sqliteBatch?.((db) => db.prepare('SELECT id FROM proof_write').pluck().all());
  return ids as string[];
}

function troublesome(proxy: HttpProxy, seed: number): void {
  const random = seededRandom(seed);
  proxy.decide = (path): Verdict => {
    if (!path.startsWith(BOX_PATHS.outbox)) return 'pass';
    const value = random();
    return value < 0.2 ? 'lose-answer' : value < 0.3 ? 'duplicate' : 'pass';
  };
}

async function againstRelay(
  events: number,
  killEveryBatches: number,
  seed: number,
): Promise<{ failures: number; detail: string }> {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-t8-'));
  const proxy = await startHttpProxy();
  const config = join(base, 'relay.yaml');
  const limit = 1_000_000;
  writeFileSync(
    config,
    JSON.stringify({
      publicUrl: proxy.url,
      listen: { host: '127.0.0.1', port: 0 },
      dataDir: join(base, 'relay'),
      logLevel: 'error',
      limits: {
        requestsPerMinute: limit,
        boxRequestsPerMinute: limit,
        claimsPerMinute: limit,
        signInsPerMinute: limit,
      },
    }),
  );
  let relay: Running | undefined;
  const start = async () => {
    relay = await startProgram({
      name: 'relay',
      entry: ENTRIES.relay,
      args: ['serve', '--config', config, '--ready-json'],
    });
    proxy.setTarget(Number(new URL(String(relay.ready.url)).port));
  };
  const file = join(base, 'relay', 'relay.db');
  const inStore = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
    const store = await openStore({ kind: 'sqlite', file });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };
  try {
    await initRelay(config);
    await inStore(countWrites);
    await start();
    const staff = await signIn(proxy.url, await makeSignInLink(config));
    const client = await staff.call<{ id: string }>('POST', '/api/clients', { name: 'Clinic' });
    const site = await staff.call<{ id: string }>('POST', '/api/sites', { clientId: client.id, name: 'T8' });
    const code = await staff.call<{ url: string }>('POST', '/api/provision/codes', {
      siteId: site.id,
      preApproved: true,
    });
    const box = await TestBox.make(proxy.url);
    const claimed = await box.presentQr(readQr(code.url).secret);
    const applianceId = claimed.body.grant?.applianceId;
    if (!applianceId) throw new Error(`the claim was answered ${claimed.status} ${JSON.stringify(claimed.body)}`);
    await box.ack(claimed.body.session, applianceId);
    const half = events / 2;
    const log = new SimLog(`${new URL(proxy.url).hostname}/a/${applianceId}/1`, box.evkPrivate).append(half);
    const incidents = Array.from({ length: half }, () => incidentRow());
    const lanes = [
      { acked: 0, batch: (from: number, to: number) => log.batch(from, to) },
      {
        acked: 0,
        batch: (from: number, to: number) =>
          outboxBody({ lane: 'incidents', firstSeq: from + 1, rows: incidents.slice(from, to) }),
      },
    ];

    troublesome(proxy, seed);
    let batches = 0;
    let kills = 0;
    let repeated = 0;
    for (let turn = 0; lanes.some(({ acked }) => acked < half); turn += 1) {
      const lane = lanes[turn % lanes.length] as (typeof lanes)[number];
      if (lane.acked === half) continue;
      const body = lane.batch(lane.acked, Math.min(lane.acked + BATCH, half));
      batches += 1;
      if (batches % killEveryBatches === 0 && relay) {
        // Killed while the batch is on its way.
        const sending = send(box, body);
        relay.kill('SIGKILL');
        await relay.exited;
        await sending;
        await start();
        kills += 1;
      }
      const answer = await send(box, body);
      if (answer === undefined) repeated += 1;
      else lane.acked = answer;
      if (batches > events) throw new Error('the lanes do not drain');
    }
    proxy.decide = () => 'pass';
    const cosigned = await box.send<string>(BOX_PATHS.checkpoint, {
      raw: log.addCheckpoint(0),
      contentType: 'text/plain',
    });
    const lines =
      typeof cosigned.body === 'string' ? cosigned.body.split('\n').filter((line) => line.startsWith('— ')).length : 0;
    const { state } = await staff.call<{ state: { receivedSize: number; cosignedSize: number; mark: string } }>(
      'GET',
      `/api/sites/${site.id}/evidence?limit=1`,
    );
    await relay?.stop();
    const writes = await inStore(readWrites);
    const written = new Set(writes);
    const doubled = writes.length - written.size;
    const missing = incidents.filter((row) => !written.has(row.id)).length;
    const isWhole = state.receivedSize === half && state.cosignedSize === half && state.mark === 'cosigned';
    // Two lines: the witness, and the mirror, which signs only when its own tree has this root.
    const failures = (cosigned.status === 200 && lines === 2 ? 0 : 1) + (isWhole ? 0 : 1) + doubled + missing;
    return {
      failures,
      detail: `${events} rows in ${batches} batches, ${repeated} answers lost, ${kills} kills; ${state.receivedSize} entries, ${lines} cosignatures, ${doubled} incidents twice, ${missing} missing`,
    };
  } finally {
    await relay?.stop();
    await proxy.close();
    rmSync(base, { recursive: true, force: true });
  }
}

/** What the relay acknowledged, or undefined when no answer came. Throws on a refusal: none is due here. */
async function send(box: TestBox, raw: Buffer): Promise<number | undefined> {
  try {
    const answer = await box.send<{ ackedThrough: number; code?: string }>(BOX_PATHS.outbox, {
      raw,
      contentType: 'application/x-ndjson',
    });
    if (answer.status === 200) return answer.body.ackedThrough;
    // The second of two equal requests was answered: what became of the first is not known, so the rows come again.
    if (answer.body.code === 'NONCE_REPLAYED') return undefined;
    throw new Refused(`${answer.status} ${JSON.stringify(answer.body)}`);
  } catch (error) {
    if (error instanceof Refused) throw error;
    return undefined;
  }
}

class Refused extends Error {}

/** How many rows had their effect more than once, with everything in place but the position. */
async function withoutPosition(events: number, seed: number): Promise<number> {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-t8-control-'));
  const store = await openStore({ kind: 'sqlite', file: join(base, 'relay.db') });
  const partnerId = await seedPartner(store);
  const { box } = await seedBox(store, await seedSite(store, partnerId));
  await countWrites(store);
  let firstSeq = 1;
  const service = createIngestService({
    store,
    clock: systemClock,
    bus: createLiveBus(),
    metrics: { rows: () => {}, refused: () => {} },
    positions: { lock: async () => firstSeq - 1, save: async () => {} },
  });
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', async () => {
      const { ackedThrough } = await service.ingest(box, Buffer.concat(parts));
      response.end(String(ackedThrough));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await startHttpProxy();
  proxy.setTarget((server.address() as AddressInfo).port);
  troublesome(proxy, seed);
  try {
    const incidents = Array.from({ length: events }, () => incidentRow());
    for (let acked = 0; acked < events; ) {
      firstSeq = acked + 1;
      const body = outboxBody({ lane: 'incidents', firstSeq, rows: incidents.slice(acked, acked + BATCH) });
      const answer = await fetch(`${proxy.url}${BOX_PATHS.outbox}`, {
        method: 'POST',
        body: new Uint8Array(body),
      }).then(
        (one) => one.text(),
        () => undefined,
      );
      if (answer !== undefined) acked = Number(answer);
    }
    const writes = await readWrites(store);
    return writes.length - new Set(writes).size;
  } finally {
    await proxy.close();
    await new Promise((resolve) => server.close(resolve));
    await store.close();
    rmSync(base, { recursive: true, force: true });
  }
}
