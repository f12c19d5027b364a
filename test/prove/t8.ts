import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import { ENTRIES, type Running, startProgram } from '../../scripts/lib/programs.ts';
import { initRelay, makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { signIn } from '../../scripts/lib/staff-client.ts';
import { readQr, TestBox } from '../helpers/box.ts';
import { type HttpProxy, startHttpProxy, type Verdict } from '../helpers/http-proxy.ts';
import { SimLog } from '../helpers/sim-log.ts';
import { seededRandom } from './lib/random.ts';
import type { ProofResult } from './promises.ts';

const BATCH = 100;

/**
 * Effect exactly once: a box sends its log through a proxy that loses 20 % of the answers and doubles 10 % of the requests,
 * while the relay is killed again and again. Afterwards the relay's own tree must have the box's root over every entry,
 * which a lost, doubled or reordered entry cannot give. The control takes the same batches without an idempotency position.
 */
export async function run({ full, seed }: { full: boolean; seed: number }): Promise<ProofResult> {
  const events = full ? 100_000 : 1_500;
  const kept = await againstRelay(events, full ? 40 : 5, seed);
  const doubled = await againstNaiveReceiver(Math.min(events, 2_000), seed);
  return {
    cases: events,
    failures: kept.failures,
    control: {
      expectedToFail: true,
      failed: doubled > 0,
      detail: `a receiver without positions stored ${doubled} rows twice under the same proxy`,
    },
    detail: kept.detail,
  };
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
  try {
    await initRelay(config);
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
    const log = new SimLog(`${new URL(proxy.url).hostname}/a/${applianceId}/1`, box.evkPrivate).append(events);

    troublesome(proxy, seed);
    let batches = 0;
    let kills = 0;
    let repeated = 0;
    for (let acked = 0; acked < events; batches += 1) {
      if (batches > 0 && batches % killEveryBatches === 0 && relay) {
        // Killed while the next batch is on its way.
        const sending = send(box, log.batch(acked, Math.min(acked + BATCH, events)));
        relay.kill('SIGKILL');
        await relay.exited;
        await sending;
        await start();
        kills += 1;
      }
      const answer = await send(box, log.batch(acked, Math.min(acked + BATCH, events)));
      if (answer === undefined) repeated += 1;
      else acked = answer;
      if (batches > events) throw new Error('the log does not drain');
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
    const isWhole = state.receivedSize === events && state.cosignedSize === events && state.mark === 'cosigned';
    // Two lines: the witness, and the mirror, which signs only when its own tree has this root.
    const failures = (cosigned.status === 200 && lines === 2 ? 0 : 1) + (isWhole ? 0 : 1);
    return {
      failures,
      detail: `${events} entries in ${batches} batches, ${repeated} answers lost, ${kills} kills; received ${state.receivedSize}, ${lines} cosignatures`,
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
    throw new Refused(`${answer.status} ${JSON.stringify(answer.body)}`);
  } catch (error) {
    if (error instanceof Refused) throw error;
    return undefined;
  }
}

class Refused extends Error {}

/** Counts rows stored twice by a receiver that applies every batch it sees. */
async function againstNaiveReceiver(events: number, seed: number): Promise<number> {
  const stored: number[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { firstSeq, count } = JSON.parse(Buffer.concat(parts).toString()) as { firstSeq: number; count: number };
      for (let seq = firstSeq; seq < firstSeq + count; seq += 1) stored.push(seq);
      response.end(String(firstSeq + count - 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await startHttpProxy();
  proxy.setTarget((server.address() as AddressInfo).port);
  troublesome(proxy, seed);
  try {
    for (let acked = 0; acked < events; ) {
      const body = JSON.stringify({ firstSeq: acked + 1, count: Math.min(BATCH, events - acked) });
      const answer = await fetch(`${proxy.url}${BOX_PATHS.outbox}`, { method: 'POST', body }).then(
        (one) => one.text(),
        () => undefined,
      );
      if (answer !== undefined) acked = Number(answer);
    }
    return stored.length - new Set(stored).size;
  } finally {
    await proxy.close();
    await new Promise((resolve) => server.close(resolve));
  }
}
