import fc from 'fast-check';
import t from 'tap';
import { type ChainLink, judgeToken } from '../../../relay/checkin/token-chain.ts';

const link: ChainLink = { token: 'T2', previousToken: 'T1', previousBodyHash: 'H1' };

t.test('the token of the last answer continues the chain', (t) => {
  t.equal(judgeToken(link, { previousToken: 'T2', bodyHash: 'H2' }), 'accept');
  t.equal(judgeToken(null, { previousToken: null, bodyHash: 'H' }), 'accept');
  t.equal(judgeToken(null, { previousToken: 'T9', bodyHash: 'H' }), 'accept', 'a relay without memory proves nothing');
  t.end();
});

t.test('the same body again is a lost answer', (t) => {
  t.equal(judgeToken(link, { previousToken: 'T1', bodyHash: 'H1' }), 'repeat');
  t.end();
});

t.test('a used token with another body is a clone, so is a chain begun anew', (t) => {
  t.equal(judgeToken(link, { previousToken: 'T1', bodyHash: 'H9' }), 'clone');
  t.equal(judgeToken(link, { previousToken: 'T0', bodyHash: 'H1' }), 'clone');
  t.equal(judgeToken(link, { previousToken: null, bodyHash: 'H9' }), 'clone');
  t.end();
});

/** A relay and any number of copies of one box, driven by a list of who checks in and whether the answer arrives. */
function drive(steps: { box: number; isAnswered: boolean }[]): { alarms: number; firstAlarmStep: number } {
  let stored: ChainLink | null = null;
  const boxes = new Map<number, { token: string | null; pending: string | null; sent: number }>();
  let alarms = 0;
  let firstAlarmStep = -1;
  for (const [step, { box: id, isAnswered }] of steps.entries()) {
    const box = boxes.get(id) ?? { token: null, pending: null, sent: 0 };
    boxes.set(id, box);
    // A body is kept until its answer arrives and sent again unchanged.
    if (box.pending === null) {
      box.sent += 1;
      box.pending = `${id}/${box.sent}`;
    }
    const presented = { previousToken: box.token, bodyHash: box.pending };
    const verdict = judgeToken(stored, presented);
    if (verdict === 'clone') {
      alarms += 1;
      if (firstAlarmStep < 0) firstAlarmStep = step;
      continue;
    }
    if (verdict === 'accept') {
      stored = { token: `t${step}`, previousToken: box.token, previousBodyHash: box.pending };
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
