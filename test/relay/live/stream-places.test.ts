import t from 'tap';
import { createStreamPlaces, MAX_STREAMS_PER_SESSION } from '../../../relay/live/index.ts';
import { seedPartner, startTestRelay } from '../../helpers/relay.ts';

t.test('a place that is given back twice is one place', (t) => {
  const places = createStreamPlaces(2);
  const back = places.take('a');
  places.take('b');
  t.throws(() => places.take('c'), { code: 'RATE_LIMITED', message: /limits\.eventStreams/ });
  back();
  back();
  t.equal(places.count(), 1);
  places.take('c');
  t.throws(() => places.take('d'), { code: 'RATE_LIMITED' });
  t.end();
});

t.test('a session holds ten event streams at most, and a closed one makes room', async (t) => {
  const { url, store, staff, services } = await startTestRelay((fn) => t.teardown(fn));
  const partnerId = await seedPartner(store);
  const person = await staff(partnerId, 'readonly');
  const stop = new AbortController();
  const last = new AbortController();
  t.teardown(() => stop.abort());
  const open = (cookie: string | undefined, signal = stop.signal) =>
    fetch(`${url}/api/events`, { headers: { cookie: cookie ?? '' }, signal });
  for (let n = 1; n < MAX_STREAMS_PER_SESSION; n += 1) t.equal((await open(person.cookie)).status, 200);
  t.equal((await open(person.cookie, last.signal)).status, 200);

  const refused = await open(person.cookie);
  t.equal(refused.status, 429);
  t.equal(refused.headers.get('retry-after'), '30');
  t.match(await refused.json(), { code: 'RATE_LIMITED', message: /10 event streams open/ });
  t.equal((await open((await staff(partnerId, 'admin')).cookie)).status, 200, 'another session has places of its own');

  last.abort();
  const deadlineMs = Date.now() + 10_000;
  while (services.streams.count() > MAX_STREAMS_PER_SESSION && Date.now() < deadlineMs)
    await new Promise((resolve) => setImmediate(resolve));
  t.equal((await open(person.cookie)).status, 200);
});

t.test('the relay serves as many event streams as its configuration says', async (t) => {
  const { url, store, staff } = await startTestRelay((fn) => t.teardown(fn), { limits: { eventStreams: 1 } });
  const partnerId = await seedPartner(store);
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const [one, two] = [await staff(partnerId, 'admin'), await staff(partnerId, 'readonly')];
  const open = (cookie: string | undefined) =>
    fetch(`${url}/api/events`, { headers: { cookie: cookie ?? '' }, signal: stop.signal });
  t.equal((await open(one.cookie)).status, 200);
  t.equal((await open(two.cookie)).status, 429);
});
