import t from 'tap';
import { createLru } from '../../../relay/lib/lru.ts';
import { NonceMemory } from '../../../relay/lib/nonce-memory.ts';

t.test('the entries used last are kept', async (t) => {
  const lru = createLru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  t.equal(lru.get('a'), 1);
  lru.set('c', 3);
  t.equal(lru.get('b'), undefined);
  t.equal(lru.get('a'), 1);
  t.equal(lru.size, 2);
  lru.deleteWhere((value) => value === 1);
  t.equal(lru.get('a'), undefined);
});

t.test('a nonce is remembered for the whole window and forgotten after two', async (t) => {
  const memory = new NonceMemory(1000);
  t.equal(memory.take('key', 'n', 0), 'new');
  for (const nowMs of [1, 999, 1000, 1999]) t.equal(memory.take('key', 'n', nowMs), 'seen', `${nowMs} ms`);
  t.equal(memory.take('key', 'n', 2999), 'new');
});

t.test('a nonce taken at the end of a generation is still remembered for a window', async (t) => {
  const memory = new NonceMemory(1000);
  memory.take('key', 'first', 0);
  t.equal(memory.take('key', 'n', 999), 'new');
  t.equal(memory.take('key', 'n', 1998), 'seen');
});

t.test('nonces of one key say nothing about another key', async (t) => {
  const memory = new NonceMemory(1000);
  t.equal(memory.take('one', 'n', 0), 'new');
  t.equal(memory.take('two', 'n', 0), 'new');
});

t.test('one key cannot fill the memory', async (t) => {
  const memory = new NonceMemory(1000);
  for (let index = 0; index < 20_000; index += 1) memory.take('key', `n${index}`, 0);
  t.equal(memory.take('key', 'one more', 0), 'too_many');
  t.equal(memory.take('other', 'n', 0), 'new');
  t.equal(memory.take('key', 'one more', 5000), 'new', 'and is free again later');
});
