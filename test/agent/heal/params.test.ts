import { readFileSync } from 'node:fs';
import { ACTION_PARAMS, type MendingAction, validateActionParams } from '@sitewarden/agent-proto/actions';
import { decodeFacts, encodeFacts, type Facts } from '@sitewarden/agent-proto/agent';
import { TIERS as TIER_NAMES, type TierNumber } from '@sitewarden/agent-proto/checks';
import type { ServiceManager } from '@sitewarden/kit/services';
import fc from 'fast-check';
import t from 'tap';
import { ACTIONS, decideOrder } from '../../../agent/heal/index.ts';
import { toSiteConfig } from '../../../agent/site/index.ts';
import { makeMender, recordingHost } from '../helpers/mender.ts';

const NAMES = Object.keys(ACTION_PARAMS) as MendingAction[];
const GOOD: Record<MendingAction, Facts> = {
  firewall_on: {},
  defender_start: {},
  signatures_update: {},
  screenlock_policy: { idle_seconds: 600 },
  restart_service: { service: 'cron' },
  start_service: { service: 'cron' },
  security_updates_scan: {},
  security_updates_install: { window_start_ms: Date.now() - 1000, window_end_ms: Date.now() + 3_600_000 },
  bitlocker_resume: {},
  update_agent: {},
  undo: { order_id: 'ord_1' },
};
const TIERS: Record<MendingAction, TierNumber> = {
  firewall_on: 2,
  defender_start: 1,
  signatures_update: 1,
  screenlock_policy: 2,
  restart_service: 1,
  start_service: 1,
  security_updates_scan: 1,
  security_updates_install: 2,
  bitlocker_resume: 2,
  update_agent: 1,
  undo: 1,
};

const decide = (action: string, params: Facts, tier: TierNumber) => {
  const site = { ...toSiteConfig(undefined), tier, requiredServices: ['cron'] };
  const decision = decideOrder({ action, params, expiresAtMs: 2 }, { nowMs: 1, site, actions: ACTIONS });
  return 'action' in decision ? 'runs' : decision.refusal.code;
};

for (const name of NAMES) {
  t.test(`${name} runs in its tier and above, also dry, and takes no parameter it does not know`, async (t) => {
    for (const tier of [0, 1, 2] as const) {
      t.equal(decide(name, GOOD[name], tier), tier < TIERS[name] ? 'TIER_TOO_LOW' : 'runs', `tier ${tier}`);
    }
    t.equal(decide(name, { ...GOOD[name], dry_run: true }, 2), 'runs');
    t.equal(decide(name, { ...GOOD[name], dry_run: true }, 0), 'TIER_TOO_LOW');
    for (const more of [{ force: true }, { dry_run: 'yes' }, { dry_run: 1 }, { command: 'id' }, { constructor: 'x' }]) {
      t.equal(decide(name, { ...GOOD[name], ...(more as Facts) }, 2), 'ORDER_PARAMS_INVALID', JSON.stringify(more));
    }
    for (const missing of Object.keys(GOOD[name])) {
      const { [missing]: _, ...rest } = GOOD[name];
      t.equal(decide(name, rest, 2), 'ORDER_PARAMS_INVALID', `without ${missing}`);
    }
  });
}

t.test('values outside their bounds are refused, and the refusal repeats none of them', async (t) => {
  const windowOf = (start: number, end: number) => ({ window_start_ms: start, window_end_ms: end });
  for (const [action, params] of [
    ['screenlock_policy', { idle_seconds: 59 }],
    ['screenlock_policy', { idle_seconds: 901 }],
    ['screenlock_policy', { idle_seconds: 60.5 }],
    ['screenlock_policy', { idle_seconds: '600' }],
    ['security_updates_install', windowOf(10, 10)],
    ['security_updates_install', windowOf(10, 5)],
    ['security_updates_install', windowOf(0, 90_000_000)],
    ['security_updates_install', windowOf(-5, 5)],
    ['undo', { order_id: '' }],
    ['undo', { order_id: '--all' }],
    ['undo', { order_id: "x' OR '1'='1" }],
    ['start_service', { service: '-H root@evil' }],
    ['start_service', { service: '../cron' }],
  ] as [string, Facts][]) {
    t.equal(decide(action, params, 2), 'ORDER_PARAMS_INVALID', JSON.stringify(params));
  }
  t.equal(decide('start_service', { service: 'sshd' }, 2), 'SERVICE_NOT_REQUIRED');
  const [bad] = ACTIONS.filter(({ name }) => name === 'firewall_on');
  const refusal = bad!.refuse({ 'rm -rf /': 'x' }, toSiteConfig(undefined));
  t.notMatch(refusal?.detail, /rm -rf/);
});

t.test('the protocol lists every action, with its tier', async (t) => {
  const page = readFileSync(new URL('../../../docs/protocols/agent.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/^\| `([a-z_]+)` \|[^|]*\| ([^|]+) \|/gm)].map(([, name, tier]) => [name!, tier!]);
  t.strictSame(listed.map(([name]) => name).sort(), ACTIONS.map(({ name }) => name).sort());
  for (const { name, minTier } of ACTIONS.filter((one) => one.name !== 'undo')) {
    t.equal(listed.find(([one]) => one === name)![1], TIER_NAMES[minTier], name);
  }
});

/** Words of shells, paths, options, control characters: what somebody would try. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom(
    '; reboot',
    '$(id)',
    '`id`',
    '| nc evil 1',
    '--help',
    '-o',
    "' & calc & '",
    '../../etc/passwd',
    '\0',
    'a\nb',
  ),
  fc.constantFrom('__proto__', 'constructor', 'toString', '%COMSPEC%', '$env:PATH', '$IFS', 'C:\\Windows', 'cron;id'),
);
const hostileFacts = fc.dictionary(
  fc.oneof(
    fc.constantFrom('service', 'idle_seconds', 'order_id', 'window_start_ms', 'window_end_ms', 'dry_run'),
    hostile,
  ),
  fc.oneof(hostile, fc.integer(), fc.boolean(), fc.array(hostile, { maxLength: 3 })),
  { maxKeys: 4 },
) as fc.Arbitrary<Facts>;

t.test('parameters of any kind are taken only by the letter of the schema', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), hostileFacts, (name, params) => {
      const read = validateActionParams(name, params);
      if (!read.ok) return decide(name, params, 2) === 'ORDER_PARAMS_INVALID';
      const known = Object.keys(ACTION_PARAMS[name].properties);
      return Object.keys(params).every((key) => known.includes(key));
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

t.test('whatever an order says, no word of it reaches a program that the schema did not allow', async (t) => {
  const seen = new Set<string>();
  for (const platform of ['linux', 'win32', 'darwin'] as const) {
    const host = recordingHost(platform);
    const facts: Facts = {
      active: false,
      profiles_off: ['public'],
      engine: platform === 'linux' ? 'ClamAV' : 'Microsoft Defender',
      engine_running: false,
      manager: 'apt',
      pending_security: 2,
      unprotected_volumes: ['C:', 'D: & calc', '-x'],
      sample: ['--agree-to-license', 'Safari17.4-17.4'],
      graphical_sessions: 0,
      signature_age_days: 30,
      state: 'stopped',
    };
    // The fault, and then that it is mended, by turns.
    const mended: Facts = { ...facts, active: true, profiles_off: [], engine_running: true, realtime: true };
    Object.assign(mended, { signature_age_days: 1, pending_security: 0, unprotected_volumes: [], state: 'running' });
    let looks = 0;
    const look = async () => {
      const isMended = looks++ % 2 === 1;
      return { status: isMended ? 'pass' : 'fail', reason: 'x', facts: isMended ? mended : facts } as const;
    };
    const started: string[] = [];
    const services: ServiceManager = {
      kind: 'pidfile',
      status: async () => ({ state: 'stopped', detail: '' }),
      start: async (name: string) => void started.push(name),
      restart: async (name: string) => void started.push(name),
      stop: async (name: string) => void started.push(name),
    };
    const dir = t.testdir({ [platform]: {} });
    const mender = makeMender({ dir, host, look, services, requiredServices: ['cron'] });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...NAMES), hostileFacts, async (name, sent) => {
        const params = decodeFacts(encodeFacts(sent));
        const isGood = validateActionParams(name, params).ok;
        const before = host.calls.length;
        const action = ACTIONS.find((one) => one.name === name)!;
        const refusal = action.refuse(params, { ...toSiteConfig(undefined), requiredServices: ['cron'] });
        if (refusal === undefined && !isGood) throw new Error('a bad order was not refused');
        if (refusal !== undefined) {
          if (count++ < 30) await mender.give(name, params, `ord_${platform}_${count}`);
          if (host.calls.length !== before) throw new Error('a refused order ran something');
        }
      }),
      { numRuns: 1500 },
    );
    for (const name of NAMES.filter((one) => one !== 'screenlock_policy')) {
      looks = 0;
      await mender.give(name, GOOD[name], `ord_${platform}_good_${name}`);
    }
    for (const { argv } of host.calls) for (const word of argv) seen.add(word);
    t.strictSame(
      started.filter(
        (name) => !['cron', 'firewalld', 'clamav-daemon', 'clamav-clamonacc', 'mpssvc', 'WinDefend'].includes(name),
      ),
      [],
    );
    await mender.stop();
  }
  t.ok(seen.has('-enable') && seen.has('C:') && seen.has('Safari17.4-17.4'));
  t.notOk(seen.has('D: & calc') || seen.has('-x') || seen.has('--agree-to-license'), 'nor what a check saw');
});
