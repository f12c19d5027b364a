import t, { type Test } from 'tap';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { readQr } from '../../helpers/box.ts';
import { join } from '../../helpers/invites.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';
import type { StaffClient } from '../../helpers/staff-client.ts';

const NOT_GIVEN = { status: 403, body: { code: 'SITE_NOT_GIVEN', field: '/siteId', message: /Ada Moreno/ } };
const TIM = { email: 'tim@partner.example', name: 'Tim Field', role: 'technician' } as const;

/** A technician with one of two sites. */
async function world(start: Start) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store);
  const given = await seedSite(relay.store, partnerId, 'Elm street');
  const other = await seedSite(relay.store, partnerId, 'Hilltop');
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const tim = await join(relay, admin, { ...TIM, siteIds: [given.siteId] });
  /** A box that shows its number, and what claiming it takes. */
  const shown = async () => {
    const box = await relay.box();
    const { session, claimUrl } = (await box.start()).body;
    const { number } = (await box.status(session)).body;
    const scanned = readQr(claimUrl);
    const claim = (client: StaffClient, siteId: string) =>
      client.call('claimBox', { params: { session }, body: { ...scanned, siteId, number } });
    return { session, scanned, claim };
  };
  return { relay, partnerId, given: given.siteId, other: other.siteId, admin, tim: tim.client, timId: tim.id, shown };
}

/** Events of a page until `isEnough` says so. */
async function listen(t: Test, { url, client }: { url: string; client: StaffClient }) {
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const response = await fetch(`${url}/api/events`, {
    headers: { cookie: client.cookie ?? '' },
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(20_000)]),
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  return async (isEnough: (text: string) => boolean): Promise<string> => {
    while (!isEnough(text)) {
      const { done, value } = await reader.read();
      if (done) break;
      text += Buffer.from(value).toString();
    }
    return text;
  };
}

await onBothRelays(t, {
  'a technician finds given sites and no others, by whatever search': async (t, start) => {
    const { tim, given, other, admin, timId } = await world(start);
    for (const query of ['', '?search=Hilltop', '?search=%25', '?limit=200', '?health=unknown']) {
      const answer = await tim.request('GET', `/api/sites${query}`);
      t.equal(answer.status, 200);
      t.notOk(JSON.stringify(answer.body).includes(other), query);
    }
    t.match((await tim.call('sites')).body, { sites: [{ id: given, name: 'Elm street' }], totals: { all: 1 } });
    t.match((await admin.call('sites')).body, { totals: { all: 2 } });
    await admin.call('changeUser', { params: { userId: timId }, body: { siteIds: [] } });
    t.equal((await tim.call('sites')).status, 401, 'other sites, another session');
  },

  'a technician claims at a given site and is refused at another, with who can give it': async (t, start) => {
    const { tim, given, other, shown } = await world(start);
    const box = await shown();
    t.match(await box.claim(tim, other), NOT_GIVEN);
    const look = (siteId: string) => tim.call('lookupClaim', { body: { ...box.scanned, siteId } });
    t.match(await look(other), NOT_GIVEN);
    t.match(await box.claim(tim, `site_${'a'.repeat(26)}`), NOT_GIVEN, 'as for a site that does not exist');
    t.equal((await look(given)).status, 200);
    t.match(await box.claim(tim, given), { status: 200, body: { state: 'claimed', siteName: 'Elm street' } });
    t.match((await tim.call('claimSession', { params: { session: box.session } })).body, { siteName: 'Elm street' });
  },

  'a claim at another site is not shown to a technician, not even with its code': async (t, start) => {
    const { admin, tim, other, shown } = await world(start);
    const box = await shown();
    t.equal((await tim.call('lookupClaim', { body: box.scanned })).status, 200, 'nobody’s box is anybody’s to scan');
    t.equal((await box.claim(admin, other)).status, 200);
    t.match(await tim.call('lookupClaim', { body: box.scanned }), NOT_GIVEN);
    t.match(await tim.call('claimSession', { params: { session: box.session } }), NOT_GIVEN);
    t.match(await box.claim(tim, other), NOT_GIVEN);
  },

  'a technician hears of given sites only': async (t, start) => {
    const { relay, partnerId, tim, given, other } = await world(start);
    const read = await listen(t, { url: relay.url, client: tim });
    await read((text) => text.includes('event: tick'));
    const atMs = Date.now();
    for (const siteId of [other, null, given]) relay.services.live.publish(partnerId, { kind: 'site', siteId, atMs });
    const text = await read((so) => so.includes(given));
    t.match(text, given);
    t.notOk(text.includes(other));
    t.notOk(text.includes('"siteId":null'));
  },

  'a technician reaches nothing else': async (t, start) => {
    const { tim, given } = await world(start);
    for (const path of [
      '/api/clients',
      `/api/sites/${given}`,
      `/api/sites/${given}/timeline`,
      '/api/provision/codes',
      '/api/provision/sessions',
      '/api/users',
      '/api/users/invites',
    ]) {
      t.match(await tim.request('GET', path), { status: 403, body: { code: 'FORBIDDEN' } }, path);
    }
  },
});
