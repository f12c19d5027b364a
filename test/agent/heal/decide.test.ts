import { readdirSync } from 'node:fs';
import type { TierNumber } from '@sitewarden/agent-proto/checks';
import fc from 'fast-check';
import t from 'tap';
import { ACTIONS, decideOrder } from '../../../agent/heal/index.ts';
import { toSiteConfig } from '../../../agent/site/index.ts';

const NOW_MS = 1_000_000;
const site = (tier: TierNumber) => ({ ...toSiteConfig(undefined), tier, requiredServices: ['cron'] });
const decide = (order: Partial<Parameters<typeof decideOrder>[0]>, tier: TierNumber = 1) => {
  const decision = decideOrder(
    { action: 'restart_service', params: { service: 'cron' }, expiresAtMs: NOW_MS + 1, ...order },
    { nowMs: NOW_MS, site: site(tier), actions: ACTIONS },
  );
  return 'action' in decision ? decision.action.name : decision.refusal.code;
};

t.test('every action file is on the list', async (t) => {
  const files = readdirSync(new URL('../../../agent/heal/actions', import.meta.url))
    .filter((name) => !['index.ts', 'types.ts'].includes(name))
    .map((name) => name.replace('.ts', '').replaceAll('-', '_'));
  t.strictSame(ACTIONS.map(({ name }) => name).sort(), files.sort());
});

t.test('a restart runs only in tier SELF_HEAL and above, for a required service, in time', async (t) => {
  t.equal(decide({}), 'restart_service');
  t.equal(decide({}, 2), 'restart_service');
  t.equal(decide({}, 0), 'TIER_TOO_LOW');
  t.equal(decide({ params: { service: 'sshd' } }), 'SERVICE_NOT_REQUIRED');
  t.equal(decide({ expiresAtMs: NOW_MS }), 'ORDER_EXPIRED');
  t.equal(decide({ expiresAtMs: 0 }), 'ORDER_EXPIRED', 'an order without an end could be a replay of any age');
  t.equal(decide({ action: 'reboot' }), 'ACTION_UNKNOWN');
  for (const params of [{}, { service: '' }, { service: ['cron'] }, { service: 7 }]) {
    t.equal(decide({ params: params as never }), 'ORDER_PARAMS_INVALID');
  }
});

t.test('a check runs in every tier', async (t) => {
  for (const tier of [0, 1, 2] as const) t.equal(decide({ action: 'run_check', params: {} }, tier), 'run_check');
  t.equal(decide({ action: 'run_check', params: { checks: ['firewall'] } }), 'run_check');
  t.equal(decide({ action: 'run_check', params: { checks: 'firewall' } }), 'ORDER_PARAMS_INVALID');
  t.equal(decide({ action: 'run_check', params: { checks: [''] } }), 'ORDER_PARAMS_INVALID');
});

t.test('no order makes anything run that is not an action on a required service', async (t) => {
  fc.assert(
    fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), fc.integer(), (action, params, expiresAtMs) => {
      const result = decide({ action, params, expiresAtMs }, 2);
      const mayRun = action === 'run_check' || (action === 'restart_service' && params.service === 'cron');
      return mayRun ? true : result !== action;
    }),
  );
  t.pass();
});
