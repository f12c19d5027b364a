import t from 'tap';
type A = { a: number };
t.test('x', async (t) => { const a: A = { a: 1 }; t.equal(a.a, 1); });
