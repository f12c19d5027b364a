import t from 'tap';
import { createTurns } from '../../../relay/lib/turns.ts';

/** Work that ends when it is told to. */
function held() {
  let end: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => done, end: () => end() };
}

t.test('who crowds one lane holds up nobody in another', async (t) => {
  const lane = createTurns({ maxRunning: 1, maxWaiting: 3 });
  const crowd = lane();
  const other = lane();
  const order: string[] = [];
  const first = held();
  const running = crowd(first.work);
  const waiting = ['a', 'b', 'c'].map((name) => crowd(async () => void order.push(name)));
  await t.rejects(
    crowd(async () => {}),
    { code: 'OVERLOADED' },
    'its lane is full',
  );
  const late = other(async () => void order.push('late'));
  first.end();
  await Promise.all([running, late, ...waiting]);
  t.strictSame(order, ['late', 'a', 'b', 'c'], 'the other lane comes next, then each in its order');
});

t.test('no more run at once than may, in all lanes together, also after one threw', async (t) => {
  const lane = createTurns({ maxRunning: 2, maxWaiting: 100 });
  const lanes = [lane(), lane(), lane()];
  let running = 0;
  let most = 0;
  const work = async (fails: boolean) => {
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running -= 1;
    if (fails) throw new Error('no');
  };
  const all = Array.from({ length: 60 }, (_, i) => lanes[i % 3]!(() => work(i % 7 === 0)));
  const ended = await Promise.allSettled(all);
  t.equal(ended.filter(({ status }) => status === 'fulfilled').length, 51);
  t.equal(most, 2);
});
