import { BOX_PATHS, type CheckinRequest, type CheckinResponse } from '@sitewarden/agent-proto/http';
import { fingerprint, generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import t from 'tap';
import { judgeNewest } from '../../../relay/checkin/index.ts';
import { createCheckinTokens } from '../../../relay/checkin/tokens.ts';
import { announceKey } from '../../../relay/store/repositories/box-keys.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import type { TestBox } from '../../helpers/box.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';
import { checkinBody } from '../../helpers/sim-box.ts';

const REFUSED = { status: 409, body: { code: 'CHECKIN_FIRST' } } as const;
/** What is meant for the box alone, and what a box without anything waiting is told by it. */
const ASKED = [
  [BOX_PATHS.orders, { status: 200 }],
  [BOX_PATHS.config, { status: 200 }],
  [BOX_PATHS.release, { status: 404, body: { code: 'RELEASE_NONE' } }],
] as const;

async function world(start: Start) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin');
  const { box, applianceId, session } = await relay.claim(admin, siteId);
  let counter = 0;
  const checkin = (over: Partial<CheckinRequest> = {}) => {
    counter += 1;
    const body = checkinBody({ counter, previousToken: box.checkinToken, ...over });
    return box.send<CheckinResponse>(BOX_PATHS.checkin, { body });
  };
  const audits = () =>
    relay.store.inTenant(partnerId, async (trx) =>
      (await trx.selectFrom('audit_event').select('action').orderBy('id').execute()).map(({ action }) => action),
    );
  const metric = async () => (await relay.services.metrics.getSingleMetric('relay_checkin_first_total')?.get())?.values;
  const all = async (box: TestBox, checkinToken: string | null) =>
    Promise.all(ASKED.map(([path]) => box.send(path, { checkinToken })));
  return { relay, partnerId, siteId, admin, box, applianceId, session, checkin, audits, metric, all };
}

t.test('what is meant for the box alone needs its newest check-in token', async (t) => {
  await onBothRelays(t, {
    'the last token and the one before it are taken, older and other ones are not': async (t, start) => {
      const { box, checkin, all, audits, metric, admin, siteId } = await world(start);
      for (const [at, answer] of (await all(box, null)).entries()) {
        t.match(answer, ASKED[at]?.[1], 'before its first check-in a box has no token');
      }
      const tokens: string[] = [];
      for (let time = 0; time < 4; time += 1) tokens.push((await checkin()).body.token);
      for (const token of tokens.slice(2)) {
        for (const [at, answer] of (await all(box, token)).entries()) t.match(answer, ASKED[at]?.[1]);
      }
      t.notOk((await audits()).includes('checkin.old_token_refused'));
      for (const token of [...tokens.slice(0, 2), null, 'A'.repeat(22)]) {
        for (const answer of await all(box, token)) t.match(answer, REFUSED, String(token));
      }
      t.match(await box.send(BOX_PATHS.released, { body: { released: 'x' }, checkinToken: null }), REFUSED);
      t.equal((await audits()).filter((action) => action === 'checkin.old_token_refused').length, 1, 'once a day');
      const { items } = (await admin.call<{ items: unknown[] }>('timeline', { params: { siteId } })).body;
      t.match(items[0], { kind: 'alarm', severity: 'critical', text: /there may be a copy of its disk/ });
      t.match(await metric(), [
        { value: 6, labels: { token: 'superseded' } },
        { value: 7, labels: { token: 'other' } },
      ]);
      t.match((await admin.call('quarantine', { params: { siteId } })).body, { isQuarantined: false });
      t.match(await checkin(), { status: 200, body: { state: 'active' } }, 'the box itself is not disturbed');
    },

    'a token that is sent and not signed is refused': async (t, start) => {
      const { box, checkin } = await world(start);
      const { token } = (await checkin()).body;
      const tamper = (headers: Record<string, string>) => {
        headers['sitewarden-checkin-token'] = token;
      };
      const answer = await box.send(BOX_PATHS.orders, { checkinToken: null, tamper });
      t.match(answer, { status: 401, body: { code: 'SIGNATURE_COMPONENTS' } });
      const swapped = await box.send(BOX_PATHS.orders, { checkinToken: 'A'.repeat(22), tamper });
      t.match(swapped, { status: 401, body: { code: 'SIGNATURE_INVALID' } });
    },

    'a copy that never checks in gets nothing, and cannot announce or use a key': async (t, start) => {
      const { box, checkin, admin, siteId, session } = await world(start);
      const copied = (await checkin()).body.token;
      await checkin();
      await checkin();
      await admin.call('createOrder', { params: { siteId }, body: { action: 'run_check' } });
      for (const path of [BOX_PATHS.orders, BOX_PATHS.config]) {
        t.match(await box.send(path, { checkinToken: copied }), REFUSED);
      }
      const { publicKey } = generateEd25519();
      const body = { newKey: publicKey, oldSignature: 'A'.repeat(86), newSignature: 'A'.repeat(86) };
      t.match(await box.send(BOX_PATHS.keys, { body, checkinToken: copied }), REFUSED);
      t.match((await admin.call('orders', { params: { siteId } })).body, { orders: [{ state: 'queued' }] });
      const status = await box.status(session);
      t.match(status, { status: 200, body: { state: 'acknowledged' } });
      t.notOk(status.body.grant, 'its claim gives the settings no more once it has checked in');
      t.match((await box.send<{ orders: string[] }>(BOX_PATHS.orders)).body.orders, { length: 1 }, 'the box gets it');
    },

    'in quarantine nobody asks, and after it the check-in comes first': async (t, start) => {
      const { box, checkin, all, admin, siteId, applianceId } = await world(start);
      await checkin();
      const spent = box.checkinToken;
      await checkin();
      await checkin({ previousToken: spent, bootId: '11111111-d9cb-469f-a165-70867728950e' });
      const inQuarantine = box.checkinToken;
      for (const answer of await all(box, inQuarantine)) {
        t.match(answer, { status: 403, body: { code: 'APPLIANCE_QUARANTINED' } });
      }
      const released = await admin.call('releaseQuarantine', {
        params: { siteId },
        body: { applianceId },
      });
      t.equal(released.status, 200);
      for (const token of [inQuarantine, spent]) {
        for (const answer of await all(box, token)) t.match(answer, REFUSED);
      }
      t.match(await checkin(), { status: 200, body: { state: 'active' } });
      for (const [at, answer] of (await all(box, box.checkinToken)).entries()) t.match(answer, ASKED[at]?.[1]);
    },

    'a copy under a next key it found on the disk does not put it in force by asking': async (t, start) => {
      const { box, checkin, relay, partnerId } = await world(start);
      const copied = (await checkin()).body.token;
      const next = generateEd25519();
      const { applianceId } = (await relay.services.boxes.find(box.fingerprint, Date.now())).box;
      const key = { applianceId, partnerId, fingerprint: fingerprint(next.publicKey), publicKey: next.publicKey };
      await relay.store.inTenant(partnerId, (trx) => announceKey(trx, { ...key, atMs: Date.now() }));
      await checkin();
      await checkin();
      const as = privateKeyFromPem(next.privateKeyPem);
      t.match(await box.send(BOX_PATHS.orders, { as, checkinToken: copied }), REFUSED);
      t.equal((await box.send(BOX_PATHS.orders)).status, 200, 'the present key goes on');
      t.equal((await box.send(BOX_PATHS.orders, { as })).status, 200, 'with the newest token the next one follows');
    },
  });
});

t.test('a token is judged by the chain as it stands', async (t) => {
  const tokens = createCheckinTokens((bytes) => Buffer.from(bytes.slice(0, 8)));
  const box = { applianceId: 'app_a', epoch: 1 };
  const issue = (counter: number) => tokens.issue(box, counter, Buffer.alloc(3, counter));
  const [t1, t2, t3, t4] = [1, 2, 3, 4].map(issue) as [string, string, string, string];
  const live = { token: t3, previousToken: t2, previousBodyHash: 'H', lastCheckinAtMs: 10 };
  const chain = { state: 'active', claimedAtMs: 5, live };
  const cases = [
    ['the newest', chain, t3, 'newest'],
    ['the one before, whose answer may be lost', chain, t2, 'newest'],
    ['an older one', chain, t1, 'superseded'],
    ['none', chain, null, 'other'],
    ['one of a future that a backup took back', chain, t4, 'other'],
    ['any when no check-in is known', { ...chain, live: null }, t1, 'newest'],
    ['none when the chain is of the claim before', { ...chain, claimedAtMs: 11 }, null, 'newest'],
    ['none after one check-in', { ...chain, live: { ...live, previousToken: null } }, null, 'other'],
    ['the last one on a chain staff opened', { ...chain, live: { ...live, previousBodyHash: null } }, t3, 'other'],
  ] as const;
  for (const [what, chain, token, standing] of cases)
    t.equal(judgeNewest(tokens, box, { chain, token }), standing, what);
});
