import t from 'tap';
import { startTestRelay } from '../../helpers/relay.ts';

t.test('a store that does not answer is told of in time, in words, and forgotten once it answers', async (t) => {
  const { url, store } = await startTestRelay((fn) => t.teardown(fn));
  const health = async () => {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(15_000) });
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), body: await answer.json() };
  };
  const held = Promise.withResolvers<void>();
  const holding = store.system(() => held.promise);
  t.match(await health(), {
    status: 503,
    retryAfter: /^[0-9]+$/,
    body: { ok: false, store: 'sqlite', fault: /^The store did not answer within 5 s\. / },
  });
  held.resolve();
  await holding;
  const good = await health();
  t.match(good, { status: 200, body: { ok: true, store: 'sqlite' } });
  t.notHas(good.body, 'fault');
});
