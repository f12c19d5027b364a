import { type AgentConfig, Tier } from '@sitewarden/agent-proto/agent';
import { CHECK_NAMES } from '@sitewarden/agent-proto/checks';
import fc from 'fast-check';
import t from 'tap';
import { toSiteConfig } from '../../../agent/site/index.ts';

const wire = (fields: Partial<AgentConfig>): AgentConfig => ({
  generation: 1,
  tier: Tier.TIER_UNSPECIFIED,
  checkIntervalMs: 0,
  heartbeatIntervalMs: 0,
  checks: [],
  requiredServices: [],
  ...fields,
});

t.test('before the appliance has spoken every check is run and nothing may be repaired', async (t) => {
  t.match(toSiteConfig(undefined), { tier: 0, checks: CHECK_NAMES, requiredServices: [], checkIntervalMs: 900_000 });
  t.match(toSiteConfig(wire({})), { tier: 0, checks: CHECK_NAMES, heartbeatIntervalMs: 60_000 });
});

t.test('a tier nobody knows is the least one', async (t) => {
  for (const [tier, number] of [
    [Tier.TIER_MONITOR_ONLY, 0],
    [Tier.TIER_SELF_HEAL, 1],
    [Tier.TIER_FULL_REMEDIATION, 2],
    [17, 0],
  ] as const) {
    t.equal(toSiteConfig(wire({ tier: tier as Tier })).tier, number);
  }
});

t.test('intervals are kept within bounds whatever is sent, and overrides stand above them', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.double()), (ms) => {
      const { checkIntervalMs, heartbeatIntervalMs } = toSiteConfig(
        wire({ checkIntervalMs: ms, heartbeatIntervalMs: ms }),
      );
      return (
        checkIntervalMs >= 1000 &&
        checkIntervalMs <= 86_400_000 &&
        heartbeatIntervalMs >= 1000 &&
        heartbeatIntervalMs <= 3_600_000
      );
    }),
  );
  t.match(toSiteConfig(wire({ checkIntervalMs: 60_000 }), { checkIntervalMs: 1000 }), { checkIntervalMs: 1000 });
});

t.test('names are taken once, empty ones never, and no more than fit a report', async (t) => {
  t.strictSame(toSiteConfig(wire({ requiredServices: ['a', '', 'a', 'b'] })).requiredServices, ['a', 'b']);
  const many = Array.from({ length: 500 }, (_, i) => `s${i}`);
  t.equal(toSiteConfig(wire({ requiredServices: many })).requiredServices.length, 200);
});
