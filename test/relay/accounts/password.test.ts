import t from 'tap';
import { hashPassword, isPassword, passwordFault } from '../../../relay/accounts/password.ts';

const KIM = { email: 'kim@partner.example', name: 'Kim van der Berg' };
const GOOD = 'correct horse battery';

t.test('a password is stored as argon2id with its own salt, and only it fits', async (t) => {
  const [one, two] = await Promise.all([hashPassword(GOOD), hashPassword(GOOD)]);
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  t.not(one, two);
  t.equal(await isPassword(GOOD, one), true);
  t.equal(await isPassword(`${GOOD} `, one), false);
  t.equal(await isPassword(GOOD, null), false);
  t.equal(await isPassword('', 'not a hash'), false);
});

t.test('a hash of another cost still fits, so the cost can be raised later', async (t) => {
  const cheap = '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$aWdub3JlZA';
  t.equal(await isPassword(GOOD, cheap), false);
});

t.test('the same letters typed on two keyboards are the same password', async (t) => {
  t.equal(await isPassword('Caf\u00e9 Zürich 1908', await hashPassword('Cafe\u0301 Zürich 1908')), true);
});

t.test('what is wrong with a password is said, and nothing else is asked of it', async (t) => {
  t.equal(passwordFault('a'.repeat(12), KIM), undefined);
  t.equal(passwordFault('密'.repeat(12), KIM), undefined);
  t.equal(passwordFault('x'.repeat(128), KIM), undefined);
  t.match(passwordFault('a'.repeat(11), KIM), /11 of at least 12/);
  t.match(passwordFault('x'.repeat(129), KIM), /longer than 128/);
  t.match(passwordFault('KIM@partner.example', KIM), /e-mail/);
  t.match(passwordFault('kim van der berg', KIM), /name/);
  t.match(passwordFault(`${'a'.repeat(12)}\ud800`, KIM), /half a character/);
  t.equal(passwordFault('kim van der berg', { ...KIM, name: 'Lee' }), undefined);
});

t.test('more guesses than can wait are refused, and the others are answered', async (t) => {
  const answers = await Promise.allSettled(Array.from({ length: 80 }, () => isPassword(GOOD, null)));
  const refused = answers.filter(({ status }) => status === 'rejected');
  t.equal(refused.length, 80 - 2 - 64);
  for (const answer of refused) t.match(answer, { reason: { code: 'OVERLOADED', data: { retryAfterS: 5 } } });
  t.equal(await isPassword(GOOD, null), false, 'the queue drains');
});
