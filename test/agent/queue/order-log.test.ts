import { type OrderReceipt, OrderState } from '@sitewarden/agent-proto/agent';
import { systemClock } from '@sitewarden/kit/time';
import t from 'tap';
import { type AgentQueue, openQueue } from '../../../agent/queue/index.ts';

const receipt = (orderId: string, state: OrderState, code = ''): OrderReceipt => ({
  orderId,
  state,
  code,
  detail: '',
  before: {},
  after: {},
  atMs: 1,
});
const STARTED = OrderState.ORDER_STATE_STARTED;
const DONE = OrderState.ORDER_STATE_DONE;

function open(dir: string): AgentQueue {
  const queue = openQueue(dir, { maxRows: 100, maxAgeMs: 1e9 }, systemClock);
  queue.reports.bindAgent('agt_1');
  return queue;
}
const order = (orderId: string) => ({ orderId, action: 'run_check' });
const waiting = ({ orders }: AgentQueue, after = 0) =>
  orders.waiting(after, 100).map(({ receipt: { orderId, state } }) => [orderId, state]);

t.test('an order is noted once, whoever asks again', async (t) => {
  const queue = open(t.testdir());
  t.equal(queue.orders.open(order('o1'), 'started', receipt('o1', STARTED)), true);
  t.equal(queue.orders.open(order('o1'), 'started', receipt('o1', STARTED)), false);
  t.equal(queue.orders.find('o1'), 'started');
  t.equal(queue.orders.find('o2'), undefined);
  t.strictSame(waiting(queue), [['o1', STARTED]]);
  queue.close();
});

t.test('orders left started are found by the next process, ended ones are not', async (t) => {
  const dir = t.testdir();
  let queue = open(dir);
  for (const id of ['o1', 'o2']) queue.orders.open(order(id), 'started', receipt(id, STARTED));
  queue.orders.close('o1', 'done', receipt('o1', DONE));
  queue.close();
  queue = open(dir);
  t.strictSame(queue.orders.interrupted(), [order('o2')]);
  t.strictSame(waiting(queue), [
    ['o1', STARTED],
    ['o2', STARTED],
    ['o1', DONE],
  ]);
  queue.close();
});

t.test('receipts wait until they are delivered; an order that comes again gets its last one again', async (t) => {
  const queue = open(t.testdir());
  queue.orders.open(order('o1'), 'started', receipt('o1', STARTED));
  queue.orders.close('o1', 'done', receipt('o1', DONE));
  const last = queue.orders.waiting(0, 10).at(-1)!.position;
  queue.orders.delivered(last);
  t.strictSame(waiting(queue), []);
  queue.orders.repeat('o1');
  t.strictSame(waiting(queue, last), [['o1', DONE]], 'as a new position, for a session looks only ahead');
  queue.close();
});

t.test('an order that ended stays ended', async (t) => {
  const queue = open(t.testdir());
  queue.orders.open(order('o1'), 'started', receipt('o1', STARTED));
  queue.orders.close('o1', 'done', receipt('o1', DONE));
  queue.orders.close('o1', 'failed', receipt('o1', OrderState.ORDER_STATE_FAILED));
  t.equal(queue.orders.find('o1'), 'done');
  t.equal(waiting(queue).length, 2);
  queue.close();
});
