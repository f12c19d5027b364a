import {
  BOX_PATHS,
  CheckinResponse,
  ConfigResponse,
  compile,
  OrdersResponse,
  OutboxAnswer,
} from '@sitewarden/agent-proto/http';
import t from 'tap';
import golden from '../../agent-proto/fixtures/golden/http-bodies.json' with { type: 'json' };
import { createClaimCalls } from '../../appliance/claim/relay-calls.ts';
import type { RelayClient, RelayRequest } from '../../appliance/lib/relay-client.ts';
import { fromAnswer } from '../../appliance/lib/relay-failure.ts';
import { readOrder, readRelayKeys, readSignedTime, readSiteConfig } from '../../appliance/lib/trust.ts';
import { checkBoxKeys } from '../../relay/claim/box-keys.ts';
import { createEvidenceLane } from '../../relay/ingest/lanes/evidence.ts';
import { createIncidentsLane } from '../../relay/ingest/lanes/incidents.ts';
import { createReceiptsLane } from '../../relay/ingest/lanes/receipts.ts';
import { createTelemetryLane } from '../../relay/ingest/lanes/telemetry.ts';
import { parseBatch } from '../../relay/ingest/parse.ts';
import type { Box } from '../../relay/lib/identity.ts';
import { ROUTES } from '../../relay/routes/contract/table.ts';
import { readBody, validatorOf } from '../../relay/routes/input.ts';
import type { Store } from '../../relay/store/index.ts';

const { signed, keys } = golden;

function contractOf(name: string) {
  const found = golden.contracts.find((contract) => contract.name === name);
  if (found === undefined) throw new Error(`no golden contract ${name}`);
  return { ...found, request: found.request ?? '', answer: JSON.parse(found.response) };
}

const routeOf = ({ method, path }: { method: string; path: string }) =>
  Object.values(ROUTES).find((route) => route.method === method && route.url === path)!;

const box: Box = {
  applianceId: signed.siteConfig.applianceId,
  partnerId: 'ptn_x',
  siteId: signed.siteConfig.siteId,
  epoch: 1,
  state: 'active',
  fingerprint: keys.dik.fingerprint,
  dik: keys.dik.publicKey,
  evk: keys.evk.publicKey,
};

t.test('every JSON route of boxes and every lane is among the golden ones', async (t) => {
  const paths = new Set(golden.contracts.map(({ path }) => path));
  // The checkpoint speaks text; it has a golden file of its own.
  const expected = Object.values(BOX_PATHS).filter((path) => path !== BOX_PATHS.checkpoint);
  t.strictSame([...paths].sort(), [...expected].sort());
  const lanes = golden.contracts.flatMap(({ name }) => /^outbox (.*)$/.exec(name)?.[1] ?? []);
  t.strictSame(lanes.sort(), ['evidence', 'incidents', 'receipts', 'telemetry']);
});

t.test('the relay takes every golden JSON request by the schema of its route', async (t) => {
  for (const contract of golden.contracts.filter(({ path }) => path !== BOX_PATHS.outbox)) {
    const { body } = routeOf(contract) as { body?: never };
    if (contract.method === 'GET') continue;
    t.strictSame(readBody(body, Buffer.from(contract.request as string)), JSON.parse(contract.request as string));
  }
});

t.test('the relay would give every golden answer', async (t) => {
  for (const contract of golden.contracts) {
    const { response } = routeOf(contract);
    t.match(validatorOf(response as never)(JSON.parse(contract.response)), { ok: true }, contract.name);
  }
});

t.test('the relay finds nothing wrong with the keys of the golden box', async (t) => {
  t.type(await checkBoxKeys(JSON.parse(contractOf('provision start').request).keys), 'string');
});

t.test('the lanes of the relay take every golden row, signatures included', async (t) => {
  const emptyLog = {
    log: { origin: golden.origin, receivedSize: 0, frontier: '', lastLeafHash: '' },
    stored: [],
    turns: [],
  };
  const store = { inTenant: async () => emptyLog } as unknown as Store;
  const lanes = {
    evidence: createEvidenceLane({ store }),
    receipts: createReceiptsLane({ store: { inTenant: async () => [] } as unknown as Store }),
    incidents: createIncidentsLane(),
    telemetry: createTelemetryLane(),
  };
  for (const [name, lane] of Object.entries(lanes)) {
    const { request, answer } = contractOf(`outbox ${name}`);
    const batch = parseBatch(Buffer.from(request));
    t.match(batch, { lane: name, epoch: 1, firstSeq: 1 });
    t.equal(batch.rows.length, answer.ackedThrough);
    await t.resolves(lane.prepare(box, batch), name);
    const spoiled = { ...batch, rows: batch.rows.map((row) => Buffer.from(row.toString().replace('a', 'A'))) };
    await t.rejects(lane.prepare(box, spoiled), `${name}: changed in one letter`);
  }
});

/** Answers every call of the appliance's claim with the golden text, through the check the appliance brings. */
function goldenRelay(sent: RelayRequest[], answers: Record<string, string>): RelayClient {
  return {
    origin: 'https://relay.example',
    clock: { nowMs: () => 0 },
    async sendJson(request: RelayRequest, validate: (value: unknown) => { ok: boolean; value?: unknown }) {
      sent.push(request);
      const result = validate(JSON.parse(answers[request.path] as string));
      if (!result.ok) throw new Error(`${request.path}: ${JSON.stringify(result)}`);
      return result.value;
    },
  } as unknown as RelayClient;
}

t.test('the appliance makes the golden claim requests and takes the golden answers', async (t) => {
  const start = JSON.parse(contractOf('provision start').request);
  const { commitment: _, ...facts } = start;
  const sent: RelayRequest[] = [];
  const client = goldenRelay(sent, {
    [BOX_PATHS.provisionStart]: contractOf('provision start').response,
    [BOX_PATHS.provisionClaim]: contractOf('provision claim by hand').response,
    [BOX_PATHS.provisionStatus]: contractOf('provision status').response,
    [BOX_PATHS.provisionDoctor]: contractOf('provision doctor').response,
    [BOX_PATHS.provisionAck]: contractOf('provision ack').response,
  });
  const calls = createClaimCalls(client, {
    facts,
    rootKey: keys.root.publicKey,
    dikFingerprint: keys.dik.fingerprint,
  });
  t.strictSame((await calls.start()).keys, signed.relayKeys);
  for (const name of ['provision claim by QR code', 'provision claim by hand']) {
    const { code } = JSON.parse(contractOf(name).request);
    const { session } = await calls.present(code, golden.boxNonce);
    t.equal(sent.at(-1)?.body, contractOf(name).request, name);
    t.match(await calls.status(session), { state: 'approved' });
  }
  t.equal(sent.at(-1)?.body, contractOf('provision status').request);
  await calls.tellDoctor(JSON.parse(contractOf('provision doctor').request));
  t.equal(sent.at(-1)?.body, contractOf('provision doctor').request);
  await calls.acknowledge(JSON.parse(contractOf('provision ack').request));
  t.equal(sent.at(-1)?.body, contractOf('provision ack').request);
});

t.test('the appliance reads the golden answers down to what was signed', async (t) => {
  const valid = <T>(result: { ok: true; value: T } | { ok: false; field: string; detail: string }): T => {
    if (!result.ok) throw new Error(`${result.field} ${result.detail}`);
    return result.value;
  };
  const config = valid(compile(ConfigResponse)(contractOf('config').answer));
  const relayKeys = readRelayKeys(config.relayKeys, keys.root.publicKey);
  t.strictSame(relayKeys, signed.relayKeys);
  t.strictSame(readRelayKeys(contractOf('relay keys').answer.relayKeys, keys.root.publicKey), signed.relayKeys);
  t.strictSame(readSiteConfig(config.config, relayKeys), signed.siteConfig);
  const { orders } = valid(compile(OrdersResponse)(contractOf('orders').answer));
  t.strictSame(
    orders.map((order) => readOrder(order, relayKeys)),
    [signed.order],
  );
  const checkin = valid(compile(CheckinResponse)(contractOf('checkin').answer));
  t.equal(readSignedTime(checkin.signedTime!, relayKeys, signed.time.nonce), signed.time.timeMs);
  t.same(valid(compile(OutboxAnswer)(contractOf('outbox telemetry').answer)), { ackedThrough: 3, newRows: 3 });
});

t.test('the appliance reads the golden refusal', async (t) => {
  const { status, response } = golden.refusal;
  const failure = fromAnswer(status, { body: Buffer.from(response), retryAfter: undefined, nowMs: 0 });
  t.match(failure, { code: 'OUTBOX_GAP', data: { expectedSeq: 4 } });
});
