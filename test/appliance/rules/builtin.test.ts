import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { type CheckName, minTierOf, TIERS, type TierNumber } from '@sitewarden/agent-proto/checks';
import t from 'tap';
import { evaluateBitlocker } from '../../../agent/collect/bitlocker/evaluate.ts';
import { evaluateDefender } from '../../../agent/collect/defender/evaluate.ts';
import { evaluateFirewall } from '../../../agent/collect/firewall/evaluate.ts';
import { evaluateScreenlock } from '../../../agent/collect/screenlock/evaluate.ts';
import type { Verdict } from '../../../agent/collect/types.ts';
import { OBSERVATION_MAX_AGE_MS, plan } from '../../../appliance/healing/plan.ts';
import {
  BUILTIN_RULES_DIR,
  createRuleSet,
  loadRuleFolder,
  type Rule,
  type RuleSubject,
} from '../../../appliance/rules/index.ts';

const NOW = Date.UTC(2026, 2, 1);
const loaded = loadRuleFolder(BUILTIN_RULES_DIR);
if (!loaded.ok) throw new Error(loaded.text);
const { rules } = loaded;
const set = createRuleSet(rules);

const EVALUATE: Partial<Record<CheckName, (facts: Facts) => Verdict>> = {
  firewall: evaluateFirewall,
  defender: evaluateDefender,
  screenlock: evaluateScreenlock,
  bitlocker: evaluateBitlocker,
};

/** What the agent makes of these facts, as a rule gets to see it. */
function seen(check: CheckName, facts: Facts, source: RuleSubject['source'] = 'agent'): RuleSubject {
  const verdict = EVALUATE[check]?.(facts);
  const { status = 'fail', severity = 'high', expected = '', actual = '' } = verdict ?? {};
  return { check, subject: '', facts, source, status, severity, expected, actual };
}
const ruleFor = (check: CheckName, facts: Facts): string | undefined => set.match(seen(check, facts))?.id;

const clamav = { engine: 'ClamAV', engines_found: ['ClamAV'], reported_by: 'process' };
const defender = { engine: 'Microsoft Defender', engines_found: ['Microsoft Defender'], reported_by: 'defender' };
const xprotect = {
  ...{ engine: 'Apple XProtect', engines_found: ['Apple XProtect'], reported_by: 'xprotect' },
  ...{ engine_running: true, engine_version: '5300' },
};
const eset = { engine: 'ESET', engines_found: ['ESET'], reported_by: 'security_center' };
const windows = { technology: 'windows', policy_source: 'effective', rule_count: 3 };
const disks = {
  ...{ technology: 'bitlocker', volumes: 1, encrypted_volumes: 0, unencrypted_volumes: [], converting_volumes: [] },
  ...{ locked_volumes: [], unprotected_volumes: ['C:'], key_protectors: ['tpm', 'recovery_password'] },
};
const desk = { desktop: 'gnome', graphical_sessions: 1, lock_enabled: false, idle_seconds: 0, source: 'gsettings' };

/** Each rule: facts it is for, and facts it has to leave alone. */
const CASES: Record<string, { check: CheckName; params: Facts; fires: Facts[]; rests: Facts[] }> = {
  'firewall-off': {
    check: 'firewall',
    params: {},
    fires: [
      { technology: 'none', active: false, input_policy: 'none', rule_count: 0 },
      { technology: 'ufw', active: false, input_policy: 'accept', rule_count: 0 },
      { technology: 'alf', active: false, input_policy: 'accept', rule_count: 0 },
      { ...windows, active: true, profiles_off: ['public'], input_policy: 'drop' },
      { ...windows, active: false, profiles_off: ['domain', 'private', 'public'], input_policy: 'drop' },
    ],
    rests: [
      // On, and its own rules let too much in: they are somebody's.
      { technology: 'nftables', active: true, input_policy: 'accept', rule_count: 2 },
      { ...windows, active: true, profiles_off: [], input_policy: 'accept' },
      { technology: 'nftables', active: true, input_policy: 'drop', rule_count: 2 },
      { technology: 'third_party', probe_error: 'another product' },
      { probe_error: 'not root' },
    ],
  },
  'anti-malware-off': {
    check: 'defender',
    params: {},
    fires: [
      { ...clamav, engine_running: false },
      { ...defender, engine_running: false },
      { ...defender, engine_running: true, realtime: false, signature_age_days: 1 },
      { ...defender, engine_running: true, realtime: false, signature_age_days: 40 },
    ],
    rests: [
      { engines_found: [], engine_running: false },
      { ...eset, engine_running: true, realtime: false },
      { ...eset, engine_running: false },
      { ...clamav, engine_running: true, realtime: false, signature_age_days: 1 },
      { ...defender, engine_running: true, realtime: true, signature_age_days: 1 },
      { ...defender, probe_error: 'no WMI' },
    ],
  },
  'signatures-old': {
    check: 'defender',
    params: {},
    fires: [
      { ...clamav, engine_running: true, realtime: false, signature_age_days: 8 },
      { ...defender, engine_running: true, realtime: true, signature_age_days: 30 },
      { ...xprotect, signatures_current: true, signature_age_days: 61 },
    ],
    rests: [
      { ...clamav, engine_running: true, realtime: true, signature_age_days: 7 },
      { ...clamav, engine_running: true, realtime: true },
      { ...eset, engine_running: true, realtime: true, signatures_current: false },
      { ...xprotect, signatures_current: true, signature_age_days: 30 },
      { ...xprotect, signatures_current: false, signature_age_days: 90 },
    ],
  },
  'screen-stays-open': {
    check: 'screenlock',
    params: { idle_seconds: 900 },
    fires: [desk, { ...desk, lock_enabled: true, idle_seconds: 1800 }, { ...desk, desktop: 'windows' }],
    rests: [
      { ...desk, desktop: 'macos' },
      { ...desk, desktop: 'sway' },
      { ...desk, graphical_sessions: 0 },
      { ...desk, lock_enabled: true, idle_seconds: 300 },
      { desktop: 'gnome', graphical_sessions: 1, probe_error: 'no bus' },
    ],
  },
  'bitlocker-suspended': {
    check: 'bitlocker',
    params: {},
    fires: [disks, { ...disks, volumes: 2, encrypted_volumes: 1, unprotected_volumes: ['D:'] }],
    rests: [
      { ...disks, unencrypted_volumes: ['D:'] },
      { ...disks, converting_volumes: ['D:'] },
      { ...disks, key_protectors: [] },
      { ...disks, unprotected_volumes: [], encrypted_volumes: 1, root_encrypted: true },
      { ...disks, unprotected_volumes: ['volume without a letter'] },
      { technology: 'luks', volumes: 1, encrypted_volumes: 0, unencrypted_volumes: ['/'] },
      { probe_error: 'not an administrator' },
    ],
  },
  'required-service-down': {
    check: 'services',
    params: { service: 'cron' },
    fires: [
      { service: 'cron', state: 'stopped' },
      { service: 'cron', state: 'failed' },
    ],
    rests: [{ service: 'cron', state: 'not_installed' }],
  },
};

t.test('every built-in rule is tried here', async (t) => {
  t.strictSame(rules.map(({ id }) => id).sort(), Object.keys(CASES).sort());
});

for (const rule of rules) {
  const { check, params, fires, rests } = CASES[rule.id]!;
  t.test(`${rule.id} wants what the check says is its fault, and nothing else`, async (t) => {
    for (const facts of fires) {
      t.equal(seen(check, facts).status, 'fail', `fails: ${JSON.stringify(facts)}`);
      t.equal(ruleFor(check, facts), rule.id, JSON.stringify(facts));
      t.strictSame(rule.params(seen(check, facts)), params);
    }
    for (const facts of rests) t.not(ruleFor(check, facts), rule.id, JSON.stringify(facts));
    t.notOk(rule.matches({ ...seen(check, fires[0]!), status: 'unknown' }), 'not knowing is no fault');
  });

  t.test(`${rule.id} waits, runs, cools down, calls a person and asks for its tier`, async (t) => {
    const decide = (change: Partial<Parameters<typeof plan>[0]>) =>
      plan({
        incident: { state: 'open', openedAtMs: NOW - rule.holdForMs },
        rule,
        params,
        target: { tier: rule.minTier, isConnected: true },
        observedAtMs: NOW,
        runs: [],
        nowMs: NOW,
        ...change,
      });
    t.match(decide({}), { kind: 'run', params });
    if (rule.holdForMs > 0) {
      const incident = { state: 'open', openedAtMs: NOW - rule.holdForMs + 1 } as const;
      t.match(decide({ incident }), { kind: 'wait', reason: 'HOLD', untilMs: NOW + 1 });
    }
    t.ok(rule.minTier >= minTierOf(rule.action), 'never below that of its action');
    const target = { tier: (rule.minTier - 1) as TierNumber, isConnected: true };
    t.strictSame(decide({ target }), { kind: 'refuse', code: 'TIER_TOO_LOW' });
    t.match(decide({ observedAtMs: NOW - OBSERVATION_MAX_AGE_MS - 1 }), { kind: 'wait', reason: 'RESULT_OLD' });
    const past = (agoMs: number) => ({ params, state: 'not_verified', startedAtMs: NOW - agoMs }) as const;
    const all = Array.from({ length: rule.attempts.max }, (_, i) => past(rule.attempts.withinMs - 1 - i));
    t.match(decide({ runs: all }), { kind: 'call_person', code: 'ATTEMPTS_EXHAUSTED' });
    if (rule.attempts.max > 1) t.match(decide({ runs: [past(1)] }), { kind: 'wait', reason: 'COOLDOWN' });
  });
}

t.test('the document of repairs has each built-in rule with its action, its tier and its tries', async (t) => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'operations', 'repairs.md'), 'utf8');
  const lines = text.split('\n').filter((line) => /^\| `[a-z]+(?:-[a-z]+)+` /.test(line));
  t.equal(lines.length, rules.length);
  for (const rule of rules) {
    const cells =
      lines
        .find((line) => line.startsWith(`| \`${rule.id}\``))
        ?.split('|')
        .map((cell) => cell.trim()) ?? [];
    t.match(cells[2], rule.action);
    t.equal(cells[3], TIERS[rule.minTier]);
    const hold = rule.holdForMs / 60_000;
    t.equal(cells[4], hold === 0 ? '' : hold < 60 ? `${hold} minutes` : `${hold / 60} hour${hold === 60 ? '' : 's'}`);
    const within = rule.attempts.withinMs === 86_400_000 ? 'a day' : `in ${rule.attempts.withinMs / 60_000} minutes`;
    t.equal(cells[5], `${rule.attempts.max} ${within}`);
  }
});

t.test('what only an agent can do is never wanted on the box', async (t) => {
  const { check, fires } = CASES['firewall-off']!;
  t.equal(set.match(seen(check, fires[0]!, 'box')), undefined);
  t.equal(set.match(seen(check, fires[0]!))?.id, 'firewall-off');
  const service: Facts = { service: 'cron', state: 'stopped' };
  t.equal((set.match(seen('services', service, 'box')) as Rule).id, 'required-service-down');
});
