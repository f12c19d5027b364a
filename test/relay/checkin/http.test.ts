import { decodeEnvelope, verifyEnvelope } from '@sitewarden/agent-proto/dsse';
import { createEntryVerifier } from '@sitewarden/agent-proto/evidence';
import { type CheckinResponse, compile, OrderPayload, SiteConfig } from '@sitewarden/agent-proto/http';
import { publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import { leafHash, verifyInclusion } from '@sitewarden/agent-proto/merkle';
import { parseVkey, verifierOf, verifyCheckpoint, verifyCosignature } from '@sitewarden/agent-proto/note';
import t from 'tap';
import { seedPartner, seedSite, startTestRelay } from '../../helpers/relay.ts';
import { checkinBody } from '../../helpers/sim-box.ts';
import { SimLog } from '../../helpers/sim-log.ts';

const PATHS = {
  checkin: '/api/appliances/checkin',
  outbox: '/api/appliances/outbox',
  checkpoint: '/api/appliances/checkpoint',
  orders: '/api/appliances/orders',
  config: '/api/appliances/config',
};

t.test('a box lives on a whole relay', async (t) => {
  const relay = await startTestRelay((fn) => t.teardown(fn));
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin');
  const { box, applianceId } = await relay.claim(admin, siteId);
  const { keys } = relay.services;
  const log = new SimLog(`${keys.host}/a/${applianceId}/1`, box.evkPrivate);

  await t.test('it checks in, and the site turns from pending to online', async (t) => {
    t.match((await admin.call('site', { params: { siteId } })).body, { summary: { status: { value: 'pending' } } });
    const nonce = 'A'.repeat(22);
    const answer = await box.send<CheckinResponse>(PATHS.checkin, { body: checkinBody({ timeNonce: nonce }) });
    t.equal(answer.status, 200);
    t.match(answer.body, { state: 'active', configGeneration: 1, pendingOrders: 0 });
    const signed = decodeEnvelope(Buffer.from(answer.body.signedTime ?? ''));
    const timeKey = publicKeyFromRaw(keys.published.time[0]?.publicKey ?? '');
    t.same(JSON.parse(Buffer.from(verifyEnvelope(signed, timeKey)).toString()), { timeMs: answer.body.timeMs, nonce });
    t.match((await admin.call('site', { params: { siteId } })).body, { summary: { status: { value: 'online' } } });
    t.match(await box.send(PATHS.checkin, { body: { ...checkinBody(), patient: 1 } }), {
      status: 400,
      body: { code: 'BODY_INVALID', field: '/patient' },
    });
  });

  await t.test('its evidence is taken in, cosigned, and proved to a stranger offline', async (t) => {
    log.append(9);
    const sent = await box.send(PATHS.outbox, { raw: log.batch(), contentType: 'application/x-ndjson' });
    t.match(sent, { status: 200, body: { ackedThrough: 9, newRows: 9 } });
    const plain = { contentType: 'text/plain' };
    const cosigned = await box.send<string>(PATHS.checkpoint, { raw: log.addCheckpoint(0), ...plain } as object);
    t.equal(cosigned.status, 200);
    t.match(cosigned.headers.get('content-type'), /^text\/plain/);
    t.equal((cosigned.body as unknown as string).split('\n').length, 3, 'two lines and their newlines');

    const late = await box.send<string>(PATHS.checkpoint, { raw: log.addCheckpoint(0), ...plain });
    t.equal(late.status, 409);
    t.equal(late.headers.get('content-type'), 'text/x.tlog.size');
    t.equal(late.body, '9\n', 'the form of the standard');
    const asJson = await box.send(PATHS.checkpoint, {
      raw: log.addCheckpoint(0),
      ...plain,
      tamper: (headers) => {
        headers.accept = 'application/json';
      },
    });
    t.match(asJson, { status: 409, body: { code: 'CHECKPOINT_CONFLICT', data: { size: 9 } } });

    const proofOf = (seq: string) => admin.call('evidenceEntry', { params: { siteId, seq } });
    const { body: proof } = await proofOf('4');
    const bytes = Buffer.from(proof.envelope as string);
    const verdict = createEntryVerifier(publicKeyFromRaw(proof.evidenceKey as string))(bytes, {
      origin: proof.origin as string,
      seq: 4,
      prev: log.prevAt(4),
    });
    t.equal(verdict.ok, true);
    const checkpoint = proof.checkpoint as string;
    const head = verifyCheckpoint(checkpoint, [
      verifierOf({ name: proof.origin as string, publicKey: proof.evidenceKey as string }),
    ]);
    const isIncluded = verifyInclusion({
      leafHash: leafHash(bytes),
      index: 4,
      size: proof.treeSize as number,
      root: head.rootHash,
      proof: (proof.inclusionProof as string[]).map((hash) => Buffer.from(hash, 'base64')),
    });
    t.equal(isIncluded, true);
    for (const vkey of proof.witnessKeys as string[])
      t.ok(verifyCosignature(checkpoint, parseVkey(vkey)).timestampS > 0);

    log.append(1);
    await box.send(PATHS.outbox, { raw: log.batch(9), contentType: 'application/x-ndjson' });
    t.match(await proofOf('9'), { status: 404, body: { code: 'NOT_FOUND', message: /not cosigned yet/ } });
    t.match(await proofOf('10'), { status: 404, body: { code: 'NOT_FOUND' } });
    t.match((await admin.call('evidence', { params: { siteId } })).body, {
      state: { mark: 'pending', receivedSize: 10, cosignedSize: 9 },
      entries: [
        { seq: 9, cosigned: false },
        { seq: 8, cosigned: true },
      ],
    });
  });

  await t.test('it gets orders and settings, signed', async (t) => {
    const made = await admin.call('createOrder', { params: { siteId }, body: { action: 'run_check' } });
    t.match(made, { status: 201, body: { state: 'queued' } });
    const { orders } = (await box.send<{ orders: string[] }>(PATHS.orders)).body;
    const order = verifyEnvelope(
      decodeEnvelope(Buffer.from(orders[0] ?? '')),
      publicKeyFromRaw(keys.published.order[0]?.publicKey ?? ''),
    );
    t.equal(compile(OrderPayload)(JSON.parse(Buffer.from(order).toString())).ok, true);
    t.match((await admin.call('orders', { params: { siteId } })).body, { orders: [{ state: 'delivered' }] });

    const changed = await admin.call('changeSite', { params: { siteId }, body: { agentTier: 1 } });
    t.match(changed, { status: 200, body: { agentTier: 1 } });
    const { config } = (await box.send<{ config: string }>(PATHS.config)).body;
    const configKey = publicKeyFromRaw(keys.published.config[0]?.publicKey ?? '');
    const settings = JSON.parse(Buffer.from(verifyEnvelope(decodeEnvelope(Buffer.from(config)), configKey)).toString());
    t.equal(compile(SiteConfig)(settings).ok, true);
    t.match(settings, { generation: 2, agentTier: 1, applianceId });
  });

  await t.test('a readonly person reads and changes nothing', async (t) => {
    const reader = await relay.staff(partnerId, 'readonly');
    t.equal((await reader.call('sites')).status, 200);
    t.equal((await reader.call('timeline', { params: { siteId } })).status, 200);
    const order = await reader.call('createOrder', { params: { siteId }, body: { action: 'run_check' } });
    t.match(order, { status: 403, body: { code: 'FORBIDDEN' } });
    t.equal((await reader.call('changeSite', { params: { siteId }, body: { agentTier: 2 } })).status, 403);
  });

  await t.test('an open page hears of it and ends with its session', async (t) => {
    const watcher = await relay.staff(partnerId, 'operator');
    const response = await fetch(`${relay.url}/api/events`, { headers: { cookie: watcher.cookie ?? '' } });
    t.match(response.headers.get('content-type'), /^text\/event-stream/);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    const until = async (pattern: RegExp) => {
      while (!pattern.test(text)) {
        const { value, done } = await reader.read();
        if (done) break;
        text += Buffer.from(value).toString();
      }
      return pattern.test(text);
    };
    t.ok(await until(/event: tick/));
    await admin.call('createOrder', { params: { siteId }, body: { action: 'run_check' } });
    t.ok(await until(new RegExp(`event: change\ndata: \\{"kind":"orders","siteId":"${siteId}"`)));
    const endedAtMs = performance.now();
    await watcher.call('signOut');
    t.ok(await until(/event: end/));
    t.ok((await reader.read()).done, 'the answer is over');
    t.ok(performance.now() - endedAtMs < 5000);
  });
});
