import { type Facts, factsBytes, fitFacts } from '@sitewarden/agent-proto/agent';
import fc from 'fast-check';
import t from 'tap';

const text = fc.string({ maxLength: 60, unit: 'binary' });
const facts: fc.Arbitrary<Facts> = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/),
  fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text, { maxLength: 10 })),
  { maxKeys: 12 },
);

t.test('facts that fit stay as they are; others become ones that fit, made of their own pieces', async () => {
  fc.assert(
    fc.property(facts, fc.integer({ min: 2, max: 600 }), (given, maxBytes) => {
      const fitted = fitFacts(given, maxBytes);
      if (factsBytes(given) <= maxBytes) return fitted === given;
      if (factsBytes(fitted) > maxBytes) return false;
      return Object.entries(fitted).every(([name, value]) => {
        const whole = given[name];
        if (!Array.isArray(value)) return value === whole;
        return value.every((item, i) => item === (whole as string[])[i]);
      });
    }),
    { numRuns: 500 },
  );
});

t.test('a list is cut to the items there is room for', async (t) => {
  t.strictSame(fitFacts({ state: 'stopped', sample: Array(50).fill('x'.repeat(100)) }, 400), {
    state: 'stopped',
    sample: Array(3).fill('x'.repeat(100)),
  });
});
