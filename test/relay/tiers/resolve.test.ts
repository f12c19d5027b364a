import type { TierNumber } from '@sitewarden/agent-proto/checks';
import fc from 'fast-check';
import t from 'tap';
import { agentTiersOf, resolveTier, type TierRules, type TierSetting } from '../../../relay/lib/agent-tiers.ts';

const tier = fc.constantFrom<TierNumber>(0, 1, 2);
const maybe = fc.option(tier, { nil: null });
const GROUPS = ['grp_a', 'grp_b', 'grp_c'];
const rules: fc.Arbitrary<TierRules> = fc
  .record({ siteTier: tier, tiers: fc.tuple(maybe, maybe, maybe) })
  .map(({ siteTier, tiers }) => ({ siteTier, groupTiers: new Map(GROUPS.map((id, n) => [id, tiers[n] ?? null])) }));
const setting = fc.record({ tier: maybe, groupId: fc.option(fc.constantFrom(...GROUPS), { nil: null }) });
const settings = fc
  .array(setting, { maxLength: 30 })
  .map((all) => all.map((one, n): TierSetting => ({ ...one, agentId: `agt_${n}` })));

t.test('the nearest one that says something decides: agent, then group, then site', async (t) => {
  fc.assert(
    fc.property(setting, rules, (given, all) => {
      const { tier: decided, from } = resolveTier(given, all);
      const said = [
        ['agent', given.tier],
        ['group', given.groupId === null ? null : all.groupTiers.get(given.groupId)],
        ['site', all.siteTier],
      ] as const;
      const [first] = said.filter(([, value]) => value !== null);
      t.strictSame([from, decided], first);
    }),
    { numRuns: 300 },
  );
  t.strictSame(resolveTier(undefined, { siteTier: 2, groupTiers: new Map() }), { tier: 2, from: 'site' });
  const gone = { tier: null, groupId: 'grp_gone' };
  t.strictSame(resolveTier(gone, { siteTier: 1, groupTiers: new Map() }), { tier: 1, from: 'site' });
});

t.test('the configuration names exactly the agents whose tier is not the one of the site', async (t) => {
  fc.assert(
    fc.property(settings, rules, (all, given) => {
      const named = agentTiersOf(all, given);
      for (const one of all) {
        const wanted = resolveTier(one, given).tier;
        t.equal(named[one.agentId] ?? given.siteTier, wanted, 'the box reads the same from it');
        t.equal(one.agentId in named, wanted !== given.siteTier);
      }
      t.strictSame(JSON.stringify(agentTiersOf(all.toReversed(), given)), JSON.stringify(named), 'in any order');
    }),
    { numRuns: 300 },
  );
});
