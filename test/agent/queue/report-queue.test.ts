import { closeSync, mkdirSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '@sitewarden/agent-proto/agent';
import type { Clock } from '@sitewarden/kit/time';
import fc from 'fast-check';
import t from 'tap';
import { type AgentQueue, openQueue, type QueueCaps } from '../../../agent/queue/index.ts';

const CAPS: QueueCaps = { maxRows: 1000, maxAgeMs: 86_400_000 };
const START_MS = Date.UTC(2026, 0, 1);

function clockAt(startMs: number): Clock & { set(ms: number): void } {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    set(ms) {
      nowMs = ms;
    },
  };
}

const report = (orderId: string): Omit<Report, 'seq'> => ({ results: [], rmmFindings: [], orderId, rmmLooked: false });
const ids = (queue: AgentQueue) => queue.reports.next(0, 10_000).map(({ report: { seq, orderId } }) => [seq, orderId]);

function open(dir: string, caps = CAPS, clock: Clock = clockAt(START_MS)): AgentQueue {
  const queue = openQueue(dir, caps, clock);
  queue.reports.bindAgent('agt_1');
  return queue;
}

t.test('numbers are contiguous from 1 and go on after everything was acknowledged and after a restart', async (t) => {
  const dir = t.testdir();
  let queue = open(dir);
  for (const id of ['a', 'b']) queue.reports.enqueue(report(id));
  t.strictSame(ids(queue), [
    [1, 'a'],
    [2, 'b'],
  ]);
  t.equal(queue.reports.ackThrough(2), 2);
  t.equal(queue.reports.depth, 0);
  queue.close();
  queue = open(dir);
  t.equal(queue.reports.lastSeq, 2);
  queue.reports.enqueue(report('c'));
  t.strictSame(ids(queue), [[3, 'c']]);
  queue.close();
});

t.test('a number is on disk before it is seen, and stays with its report', async (t) => {
  const dir = t.testdir();
  const queue = open(dir);
  for (const id of ['a', 'b', 'c']) queue.reports.enqueue(report(id));
  t.strictSame(
    queue.reports.next(0, 2).map(({ report: { seq } }) => seq),
    [1, 2],
  );
  const other = openQueue(dir, CAPS, clockAt(START_MS));
  t.equal(other.reports.lastSeq, 3, 'the numbers after it are given in the same sync');
  t.strictSame(ids(other), [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ]);
  other.close();
  queue.close();
});

t.test('an acknowledgement beyond the numbers that were given forgets nothing else', async (t) => {
  const queue = open(t.testdir());
  queue.reports.enqueue(report('a'));
  queue.reports.next(0, 1);
  queue.reports.enqueue(report('b'));
  t.equal(queue.reports.ackThrough(99), 1);
  t.strictSame(ids(queue), [[2, 'b']]);
  queue.close();
});

t.test('beyond its rows the oldest reports that were never sent go, are counted, and leave no gap', async (t) => {
  const queue = open(t.testdir(), { ...CAPS, maxRows: 4 });
  for (const id of ['a', 'b']) queue.reports.enqueue(report(id));
  queue.reports.next(0, 2);
  for (const id of ['c', 'd', 'e', 'f', 'g']) queue.reports.enqueue(report(id));
  t.equal(queue.reports.depth, 4);
  t.strictSame(ids(queue), [
    [1, 'a'],
    [2, 'b'],
    [3, 'f'],
    [4, 'g'],
  ]);
  t.match(queue.reports.losses(), [{ reason: 'too_many', reports: 3 }]);
  queue.close();
});

t.test('reports that waited too long go and are counted; a clock that was not set ages nothing', async (t) => {
  const clock = clockAt(START_MS);
  const queue = open(t.testdir(), CAPS, clock);
  queue.reports.enqueue(report('old'));
  clock.set(1000);
  queue.reports.enqueue(report('stamped in 1970'));
  clock.set(START_MS + CAPS.maxAgeMs + 1);
  queue.reports.enqueue(report('new'));
  t.strictSame(
    ids(queue).map(([, id]) => id),
    ['stamped in 1970', 'new'],
  );
  t.match(queue.reports.losses(), [{ reason: 'too_old', reports: 1, firstAtMs: clock.nowMs() }]);
  queue.close();
});

t.test('a new identity starts over at 1, and what waited for the old one is counted', async (t) => {
  const queue = open(t.testdir());
  queue.reports.enqueue(report('a'));
  queue.reports.next(0, 1);
  queue.reports.bindAgent('agt_1');
  t.equal(queue.reports.depth, 1, 'the same identity keeps everything');
  queue.reports.bindAgent('agt_2');
  queue.reports.enqueue(report('b'));
  t.strictSame(ids(queue), [[1, 'b']]);
  t.match(queue.reports.losses(), [{ reason: 're_enrolled', reports: 1 }]);
  queue.close();
});

t.test('after the loss of the queue numbers go on from what the appliance has', async (t) => {
  const queue = open(t.testdir());
  queue.reports.enqueue(report('a'));
  t.equal(queue.reports.anchor(41), 'queue_was_lost');
  t.strictSame(ids(queue), [[42, 'a']]);
  t.equal(queue.reports.anchor(41), 'in_step');
  queue.close();
});

t.test('an appliance that was set back gets its own next number, and the hole is counted', async (t) => {
  const queue = open(t.testdir());
  for (const id of ['a', 'b', 'c']) queue.reports.enqueue(report(id));
  queue.reports.next(0, 3);
  queue.reports.ackThrough(2);
  t.equal(queue.reports.anchor(0), 'appliance_was_set_back');
  t.strictSame(ids(queue), [[1, 'c']]);
  t.match(queue.reports.losses(), [{ reason: 'appliance_set_back', reports: 2 }]);
  queue.close();
});

t.test('a report that is refused goes, is counted, and those behind it move up', async (t) => {
  const queue = open(t.testdir());
  for (const id of ['a', 'poison', 'c', 'd']) queue.reports.enqueue(report(id));
  queue.reports.next(0, 3);
  queue.reports.ackThrough(1);
  queue.reports.discard(2);
  t.equal(queue.reports.lastSeq, 1);
  t.strictSame(ids(queue), [
    [2, 'c'],
    [3, 'd'],
  ]);
  t.match(queue.reports.losses(), [{ reason: 'refused', reports: 1 }]);
  queue.close();
});

t.test('a damaged file is set aside, counted, and an empty queue takes its place', async (t) => {
  const dir = t.testdir();
  let queue = open(dir);
  for (let i = 0; i < 200; i++) queue.reports.enqueue(report(`x${i}`.padEnd(400, 'x')));
  queue.close();
  const file = openSync(join(dir, 'queue.db'), 'r+');
  writeSync(file, Buffer.alloc(16_384, 0xff), 0, 16_384, 4096);
  closeSync(file);
  queue = openQueue(dir, CAPS, clockAt(START_MS));
  t.ok(queue.setAside);
  t.ok(readdirSync(dir).some((name) => name.startsWith('queue.db.damaged-')));
  t.match(queue.reports.losses(), [{ reason: 'queue_damaged', reports: 1 }]);
  t.equal(queue.reports.depth, 0);
  queue.close();
});

t.test('the file is readable by its owner alone', async (t) => {
  const dir = t.testdir();
  open(dir).close();
  t.equal(statSync(join(dir, 'queue.db')).mode & 0o777, 0o600);
});

t.test('after the commit of a report the listener is told, until it leaves', async (t) => {
  const queue = open(t.testdir());
  let told = 0;
  const leave = queue.reports.onEnqueued(() => {
    told = queue.reports.depth;
  });
  queue.reports.enqueue(report('a'));
  t.equal(told, 1);
  leave();
  queue.reports.enqueue(report('b'));
  t.equal(told, 1);
  queue.close();
});

/**
 * The appliance as the contract has it: stores what follows on what it has, never a gap. Whatever the order of sends,
 * lost acknowledgements, drops and restarts: each report is stored at most once, in order, and what is missing was counted.
 */
t.test('any course of events loses nothing uncounted and stores nothing twice', async (t) => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('enqueue' as const) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('ack' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('session' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  );
  const root = t.testdir();
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const dir = join(root, `run-${run++}`);
      mkdirSync(dir);
      let queue = open(dir, { ...CAPS, maxRows: 6 });
      const stored: string[] = [];
      const refused = new Set<string>();
      let made = 0;
      let cursor = 0;
      for (const { kind, ...rest } of steps) {
        if (kind === 'enqueue') queue.reports.enqueue(report(String(made++)));
        else if (kind === 'send') {
          for (const { position, report: sent } of queue.reports.next(cursor, (rest as { count: number }).count)) {
            cursor = position;
            if (sent.seq <= stored.length) continue;
            if (sent.seq !== stored.length + 1) throw new Error(`gap: ${sent.seq} after ${stored.length}`);
            stored.push(sent.orderId);
          }
        } else if (kind === 'ack') queue.reports.ackThrough(stored.length);
        else if (kind === 'refuse') {
          const [first] = queue.reports.next(0, 1);
          if (first === undefined || first.report.seq <= stored.length) continue;
          refused.add(first.report.orderId);
          queue.reports.discard(first.report.seq);
          cursor = 0;
        } else {
          if (kind === 'restart') {
            queue.close();
            queue = open(dir, { ...CAPS, maxRows: 6 });
          }
          cursor = 0;
          if (queue.reports.anchor(stored.length) !== 'in_step') throw new Error('out of step');
        }
      }
      queue.reports.anchor(stored.length);
      const waiting = queue.reports.next(0, 100).map(({ report: { orderId } }) => orderId);
      const lost = queue.reports.losses().reduce((sum, loss) => sum + loss.reports, 0);
      queue.close();
      const all = [...stored, ...waiting].map(Number);
      const isOrdered = all.every((id, i) => i === 0 || id > all[i - 1]!);
      return isOrdered && all.length + lost === made && !all.some((id) => refused.has(String(id)));
    }),
    { numRuns: 60 },
  );
  t.pass();
});
