import { existsSync } from 'node:fs';
import t from 'tap';
import { stopAgent } from '../../../agent/run/index.ts';
import { requestStop, stopRequested } from '../../../agent/run/stop-request.ts';
import { makeAgentHome } from '../helpers/agent-process.ts';

t.test('a request made after the watch began ends it; one of before does not', async (t) => {
  const dir = t.testdir();
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(alive));
  await requestStop(dir);
  // Time for a hundred looks: an old request that counted would have ended it by then.
  t.equal(await stopRequested(dir, AbortSignal.timeout(500), 5), false);
  const ended = stopRequested(dir, new AbortController().signal, 5);
  let isEnded = false;
  void ended.then(() => {
    isEnded = true;
  });
  // One at a time, the last before the folder goes. The first may come before the watch has begun.
  for (let asked = 0; asked < 500 && !isEnded; asked += 1) {
    await requestStop(dir);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.equal(isEnded, true);
});

t.test('stop ends no process when no agent holds the lock, and makes no files', async (t) => {
  const home = makeAgentHome();
  t.teardown(() => home.remove());
  t.equal(await stopAgent(home.dataDir), false);
  t.equal(existsSync(home.dataDir), false);
  t.match(await home.call('stop'), { code: 0, stdout: 'It does not run.\n' });
});
