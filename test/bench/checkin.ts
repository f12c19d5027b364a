import { createPublicKey, verify } from 'node:crypto';
import { BOX_PATHS, CheckinRequest } from '@sitewarden/agent-proto/http';
import { COVERED, parseSignature, signatureBase, verifyRequestAsync } from '@sitewarden/agent-proto/http-signature';
import { createLogger } from '@sitewarden/kit/log';
import { Registry } from 'prom-client';
import { MAX_SKEW_S } from '../../relay/box-proof/index.ts';
import { NonceMemory } from '../../relay/lib/nonce-memory.ts';
import { checkinService } from '../../relay/routes/checkin.ts';
import type { Services } from '../../relay/routes/context.ts';
import { readBody } from '../../relay/routes/input.ts';
import { startRelay } from '../../relay/server.ts';
import type { Figure } from './benches.ts';
import { figureOf } from './lib/figures.ts';
import { makeRelayFolder, nextCheckin, type SignedCheckin } from './lib/relay-boxes.ts';

const BOXES = 2000;
const ROUNDS = 7;
/** Each box checks in so often in a round; signing happens between the passes and is not measured. */
const PASSES = 3;
/** Check-ins that are under way at a time. */
const CONCURRENCY = 256;

/** Everything a check-in costs one relay process but HTTP: signature, nonce, schema, token chain, one row, commit. */
export async function run(): Promise<Figure[]> {
  const folder = await makeRelayFolder(BOXES);
  const relay = await startRelay(folder.config, { log: createLogger({ name: 'bench', level: 'warn' }) });
  try {
    const handle = createHandler(relay.services);
    const make = () => folder.boxes.map((box) => nextCheckin(box, relay.publicUrl));
    const perSecond = async (isCold: boolean): Promise<number> => {
      let seconds = 0;
      for (let pass = 0; pass < PASSES; pass += 1) {
        const checkins = make();
        // After a minute between two check-ins nothing of the box is in memory any more.
        if (isCold) for (const { box } of checkins) relay.services.boxes.forget(box.applianceId);
        const fromMs = performance.now();
        await inParallel(checkins, handle);
        seconds += (performance.now() - fromMs) / 1000;
      }
      return (BOXES * PASSES) / seconds;
    };

    await perSecond(true);
    const warm: number[] = [];
    const cold: number[] = [];
    const controls: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      warm.push(await perSecond(false));
      controls.push(verifiesPerSecond(make()));
      cold.push(await perSecond(true));
    }
    const note = 'control: crypto.verify of the same signatures, one core';
    return [
      figureOf({ name: 'checkin', unit: 'check-ins/s', values: warm, controls, note }),
      figureOf({
        name: 'checkin-cold',
        unit: 'check-ins/s',
        values: cold,
        controls,
        note: 'the same, each box looked up in the store first, as when it comes once a minute',
      }),
    ];
  } finally {
    await relay.close();
    folder.remove();
  }
}

/** What the HTTP routes do with a check-in, without HTTP. */
function createHandler(services: Services): (checkin: SignedCheckin) => Promise<void> {
  // The routes' own service holds its counters in the relay's registry.
  const service = checkinService({ ...services, metrics: new Registry() });
  const nonces = new NonceMemory(2 * MAX_SKEW_S * 1000);
  const authority = new URL(services.publicUrl()).host;
  return async ({ box, body, headers }) => {
    const parsed = parseSignature(headers);
    if (!parsed.ok) throw new Error(parsed.code);
    const known = await services.boxes.find(parsed.keyId, services.clock.nowMs());
    const request = { method: 'POST', authority, path: BOX_PATHS.checkin, query: '', headers, body };
    const options = { nowS: Math.floor(services.clock.nowMs() / 1000), maxSkewS: MAX_SKEW_S };
    const verdict = await verifyRequestAsync(request, known.publicKey, options);
    if (!verdict.ok) throw new Error(verdict.code);
    const taken = nonces.take(verdict.keyId, verdict.nonce, services.clock.monotonicMs());
    if (taken !== 'new') throw new Error(taken);
    const answer = await service.checkin(known.box, readBody(CheckinRequest, body) as CheckinRequest, body);
    if (answer.state !== 'active') throw new Error(`the box is ${answer.state}`);
    JSON.stringify(answer);
    box.token = answer.token;
  };
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let at = 0;
  const worker = async () => {
    for (let item = items[at++]; item !== undefined; item = items[at++]) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

function verifiesPerSecond(checkins: readonly SignedCheckin[]): number {
  const prepared = checkins.map(({ box, headers, body: _body }) => {
    const parsed = parseSignature(headers);
    if (!parsed.ok) throw new Error(parsed.code);
    const parts = { method: 'POST', authority: 'relay.bench', path: BOX_PATHS.checkin, query: '', headers };
    const base = signatureBase(COVERED, parsed.params, parts);
    if (base === undefined) throw new Error('there is no signature base');
    return { key: createPublicKey(box.privateKey), bytes: Buffer.from(base), signature: parsed.signature };
  });
  // These check-ins are not sent: their boxes must not count on an answer.
  for (const { box } of checkins) box.counter -= 1;
  const fromMs = performance.now();
  for (const { key, bytes, signature } of prepared) {
    if (!verify(null, bytes, key, signature)) throw new Error('a signature does not verify');
  }
  return prepared.length / ((performance.now() - fromMs) / 1000);
}
