import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { type ChainLink, judgeToken, nextCounter, type Presented } from '../../../relay/checkin/token-chain.ts';
import { createCheckinTokens } from '../../../relay/checkin/tokens.ts';

const link: ChainLink = { token: 'T2', counter: 2, previousToken: 'T1', previousBodyHash: 'H1' };
const shown = (previousToken: string | null, counter: number | null, bodyHash: string): Presented => ({
  previousToken,
  counter,
  bodyHash,
});

t.test('what is presented against what is known', (t) => {
  const table: [string, ChainLink | null, Presented, string][] = [
    ['the last token', link, shown('T2', 2, 'H2'), 'accept'],
    ['nothing on both sides', null, shown(null, null, 'H'), 'accept'],
    ['any token where there is no memory', null, shown('T9', 9, 'H'), 'accept'],
    ['any token on a chain staff opened', { ...link, previousBodyHash: null }, shown('T0', 0, 'H'), 'accept'],
    ['the same body again', link, shown('T1', 1, 'H1'), 'repeat'],
    ['a newer token', link, shown('T3', 3, 'H3'), 'restored'],
    ['a newer token, where the last one has no counter', { ...link, counter: null }, shown('T3', 1, 'H3'), 'restored'],
    ['a used token with another body', link, shown('T1', 1, 'H9'), 'clone'],
    ['another body with an older token', link, shown('T0', 0, 'H1'), 'clone'],
    ['another token of the same age', link, shown('T2b', 2, 'H2'), 'clone'],
    ['a token without a counter', link, shown('X', null, 'H3'), 'clone'],
    ['a chain begun anew', link, shown(null, null, 'H9'), 'clone'],
  ];
  for (const [name, known, presented, verdict] of table) t.equal(judgeToken(known, presented), verdict, name);
  t.end();
});

t.test('the next counter is above both sides and not behind the clock', (t) => {
  t.equal(nextCounter(null, shown(null, null, 'H'), 1), 1);
  t.equal(nextCounter(link, shown('T2', 2, 'H'), 1), 3);
  t.equal(nextCounter(link, shown('T9', 9, 'H'), 1), 10);
  t.equal(nextCounter(link, shown('T9', 9, 'H'), 50), 50);
  t.end();
});

t.test('a token says its counter to the relay that made it, for the box and epoch it was made for', (t) => {
  const macBy = (secret: string) => (bytes: Uint8Array) => createHmac('sha256', secret).update(bytes).digest();
  const tokens = createCheckinTokens(macBy('one'));
  const other = createCheckinTokens(macBy('two'));
  const owner = { applianceId: 'app_a', epoch: 1 };
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 - 1 }), fc.integer({ min: 0, max: 127 }), (counter, bit) => {
      const token = tokens.issue(owner, counter, tokens.draw());
      const forged = Buffer.from(token, 'base64url');
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      return (
        /^[A-Za-z0-9_-]{22}$/.test(token) &&
        tokens.counterOf(owner, token) === counter &&
        tokens.counterOf(owner, forged.toString('base64url')) === null &&
        tokens.counterOf({ ...owner, epoch: 2 }, token) === null &&
        tokens.counterOf({ ...owner, applianceId: 'app_b' }, token) === null &&
        other.counterOf(owner, token) === null
      );
    }),
  );
  t.equal(tokens.counterOf(owner, null), null);
  t.equal(tokens.counterOf(owner, 'A'.repeat(22)), null, 'a token from before');
  t.not(tokens.issue(owner, 1, tokens.draw()), tokens.issue(owner, 1, tokens.draw()), 'never twice the same');
  t.end();
});

/** A relay and any number of copies of one box, driven by a list of who checks in and whether the answer arrives. */
function drive(steps: { box: number; isAnswered: boolean; isRestored?: boolean }[]): {
  alarms: number;
  firstAlarmStep: number;
} {
  let stored: ChainLink | null = null;
  const boxes = new Map<number, { token: string | null; pending: string | null; sent: number }>();
  let restores = 0;
  const history: (ChainLink | null)[] = [null];
  const counters = new Map<string | null, number>();
  let alarms = 0;
  let firstAlarmStep = -1;
  for (const [step, { box: id, isAnswered, isRestored }] of steps.entries()) {
    // The backup was taken half way. Two at most, of whatever time: a third, back to what the first one gave up while the
    // box lost an answer each time, cannot be told from a copy.
    if (isRestored && restores < 2) {
      stored = history[history.length >> 1] ?? null;
      restores += 1;
    }
    const box = boxes.get(id) ?? { token: null, pending: null, sent: 0 };
    boxes.set(id, box);
    // A body is kept until its answer arrives and sent again unchanged.
    if (box.pending === null) {
      box.sent += 1;
      box.pending = `${id}/${box.sent}`;
    }
    const presented = shown(box.token, counters.get(box.token) ?? null, box.pending);
    const verdict = judgeToken(stored, presented);
    if (verdict === 'clone') {
      alarms += 1;
      if (firstAlarmStep < 0) firstAlarmStep = step;
      continue;
    }
    if (verdict !== 'repeat') {
      const counter = nextCounter(stored, presented, step + 1);
      stored = { token: `t${step}`, counter, previousToken: box.token, previousBodyHash: box.pending };
      counters.set(stored.token, counter);
      history.push(stored);
    }
    if (isAnswered) {
      box.token = (stored as ChainLink).token;
      box.pending = null;
    }
  }
  return { alarms, firstAlarmStep };
}

t.test('one box never raises an alarm, whichever answers are lost', (t) => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (answers) => {
      return drive(answers.map((isAnswered) => ({ box: 1, isAnswered }))).alarms === 0;
    }),
  );
  t.end();
});

t.test('one box never raises an alarm, also when the relay is put back to a backup, and then to another one', (t) => {
  const steps = fc.record({ box: fc.constant(1), isAnswered: fc.boolean(), isRestored: fc.boolean() });
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60 }), (all) => drive(all).alarms === 0),
    { numRuns: 1000 },
  );
  t.end();
});

t.test('two copies are found at the first check-in of the second', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.boolean(), { maxLength: 20 }), (before, answers) => {
      const alone = Array.from({ length: before }, () => ({ box: 1, isAnswered: true }));
      const both = [...alone, { box: 2, isAnswered: true }, ...answers.map((isAnswered) => ({ box: 1, isAnswered }))];
      return drive(both).firstAlarmStep === before;
    }),
  );
  t.end();
});
