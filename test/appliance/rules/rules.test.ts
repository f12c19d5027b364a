import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatIssues } from '@sitewarden/kit/config';
import fc from 'fast-check';
import t from 'tap';
import {
  BUILTIN_RULES_DIR,
  checkRuleFiles,
  createRuleSet,
  loadRuleFolder,
  parseRule,
  type Rule,
  type RuleSubject,
} from '../../../appliance/rules/index.ts';

const BUILTIN = readFileSync(join(BUILTIN_RULES_DIR, 'required-service-down.yaml'), 'utf8');

const down: RuleSubject = {
  check: 'services',
  subject: 'cron',
  status: 'fail',
  severity: 'high',
  expected: 'the service is running',
  actual: 'stopped',
  facts: { service: 'cron', manager: 'sysv', state: 'stopped' },
  source: 'agent',
};

function rule(when: string, text = BUILTIN): Rule {
  const indented = when.split('\n').map((line) => `  ${line}`);
  const result = parseRule(text.replace(/when:\n(?: {2}.*\n)+/, `when:\n${indented.join('\n')}\n`), 'rule.yaml');
  if (!result.ok) throw new Error(formatIssues(result.issues, 'rule.yaml'));
  return result.rule;
}
const holds = (when: string, subject: Partial<RuleSubject> = {}) => rule(when).matches({ ...down, ...subject });
function faults(text: string): string {
  const result = parseRule(text, 'rule.yaml');
  return result.ok ? '' : formatIssues(result.issues, 'rule.yaml');
}

t.test('every built-in rule is valid, and the first one is what it says', async (t) => {
  const result = loadRuleFolder(BUILTIN_RULES_DIR);
  if (!result.ok) throw new Error(result.text);
  t.match(
    result.rules.filter(({ id }) => id === 'required-service-down'),
    [
      {
        id: 'required-service-down',
        version: 1,
        check: 'services',
        action: 'restart_service',
        holdForMs: 0,
        cooldown: { ms: 300_000, per: 'host' },
        attempts: { max: 2, withinMs: 900_000, per: 'host' },
        verifyWithinMs: 120_000,
        minTier: 1,
      },
    ],
  );
});

t.test('a rule can order every repair of an agent, with the parameters of that repair and no others', async (t) => {
  const withAction = (action: string, tier = 'FULL_REMEDIATION') =>
    BUILTIN.replace(/action:\n(?: {2}.*\n)+/, `action:\n${action}\n`).replace('SELF_HEAL', tier);
  for (const [action, params] of [
    ['  name: firewall_on', {}],
    ['  name: defender_start\n  params: {}', {}],
    ['  name: start_service\n  params:\n    service: cron', { service: 'cron' }],
    ['  name: start_service\n  params:\n    service: { from: subject }', { service: 'cron' }],
    ['  name: screenlock_policy\n  params:\n    idle_seconds: 600', { idle_seconds: 600 }],
  ] as const) {
    const result = parseRule(withAction(action), 'rule.yaml');
    if (!result.ok) throw new Error(formatIssues(result.issues, 'rule.yaml'));
    t.strictSame(result.rule.params(down), params, action);
  }
  t.match(
    faults(withAction('  name: firewall_on\n  params:\n    service: cron')),
    /rule\.yaml:11:5: .*has no parameter/,
  );
  t.match(faults(withAction('  name: screenlock_policy')), /rule\.yaml:9:3: .*needs the parameter `idle_seconds`/);
  t.match(faults(withAction('  name: screenlock_policy\n  params: {}')), /rule\.yaml:10:3: .*needs the parameter/);
  t.match(faults(withAction('  name: screenlock_policy\n  params:\n    idle_seconds: 5')), /idle_seconds/);
  t.match(faults(withAction('  name: firewall_on\n  params:\n    dry_run: true')), /unknown key `dry_run`/);
  for (const name of ['undo', 'security_updates_install', 'run_check', 'format_disk']) {
    t.match(faults(withAction(`  name: ${name}`)), /action\.name: must be one of/, name);
  }
  const fromNumber = '  name: screenlock_policy\n  params:\n    idle_seconds: { from: facts.detail }';
  const rule = (parseRule(withAction(fromNumber), 'x') as { rule: Rule }).rule;
  const detail = (value: unknown) => rule.params({ ...down, facts: { ...down.facts, detail: value as never } });
  t.strictSame(detail(300), { idle_seconds: 300 });
  for (const value of ['300', 5, 901, true]) t.equal(detail(value), undefined, String(value));
});

t.test('a tier below that of the action is refused where it stands', async (t) => {
  const text = BUILTIN.replace(/action:\n(?: {2}.*\n)+/, 'action:\n  name: firewall_on\n');
  const line = text.slice(0, text.indexOf('min_tier')).split('\n').length;
  const found = faults(text);
  t.match(found, new RegExp(`rule\\.yaml:${line}:1: min_tier: no agent does firewall_on below FULL_REMEDIATION`));
  t.match(found, /write FULL_REMEDIATION/);
  t.match(faults(BUILTIN.replace('SELF_HEAL', 'MONITOR_ONLY')), /no agent does restart_service below SELF_HEAL/);
});

t.test('the built-in rule wants to restart what is stopped or failed, and nothing else', async (t) => {
  const { rule: builtin } = parseRule(BUILTIN, 'x') as { rule: Rule };
  t.equal(builtin.matches(down), true);
  t.equal(builtin.matches({ ...down, facts: { ...down.facts, state: 'failed' } }), true);
  t.equal(builtin.matches({ ...down, facts: { ...down.facts, state: 'not_installed' } }), false);
  t.equal(builtin.matches({ ...down, status: 'unknown' }), false);
  t.equal(builtin.matches({ ...down, facts: {} }), false);
  t.strictSame(builtin.params(down), { service: 'cron' });
  t.equal(builtin.params({ ...down, facts: { state: 'stopped' } }), undefined);
});

t.test('modifiers compare as they say', async (t) => {
  const patches = (facts: RuleSubject['facts']) => ({ facts });
  const text = BUILTIN.replace('check: services', 'check: patches').replace('{ from: facts.service }', 'cron');
  const holdsPatches = (when: string, facts: RuleSubject['facts']) =>
    rule(when, text).matches({ ...down, check: 'patches', ...patches(facts) });
  for (const [when, facts, expected] of [
    ['facts.pending_security|gt: 3', { pending_security: 4 }, true],
    ['facts.pending_security|gt: 3', { pending_security: 3 }, false],
    ['facts.pending_security|gte: 3', { pending_security: 3 }, true],
    ['facts.pending_security|lt: 3', { pending_security: 2 }, true],
    ['facts.pending_security|lte: 3', { pending_security: 4 }, false],
    ['facts.pending_security|gt: 3', { pending_security: '4' }, false],
    ['facts.pending_security|in: [1, 2]', { pending_security: 2 }, true],
    ['facts.reboot_required: true', { reboot_required: true }, true],
    ['facts.reboot_required: true', { reboot_required: 'true' }, false],
    ['facts.sample|contains: openssl', { sample: ['zlib', 'libopenssl3'] }, true],
    ['facts.sample|contains: openssl', { sample: ['zlib'] }, false],
    ['facts.manager|startswith: AP', { manager: 'apt' }, true],
    ['facts.manager|endswith: [pt, nf]', { manager: 'dnf' }, true],
    ['facts.manager|exists: true', {}, false],
    ['facts.manager|exists: false', {}, true],
    ['facts.manager: APT', { manager: 'apt' }, true],
  ] as const) {
    t.equal(holdsPatches(when, facts as never), expected, `${when} on ${JSON.stringify(facts)}`);
  }
});

t.test('any, all and not nest', async (t) => {
  t.equal(holds('any:\n  - facts.state: failed\n  - facts.state: stopped'), true);
  t.equal(holds('all:\n  - facts.state: failed\n  - facts.manager: sysv'), false);
  t.equal(holds('not:\n  facts.state: running'), true);
  t.equal(holds('status: fail\nnot:\n  any:\n    - facts.state: stopped\n    - facts.state: failed'), false);
});

t.test('a field that is not there matches nothing but exists: false', async (t) => {
  for (const test of [': x', '|in: [x]', '|gt: 0', '|contains: ""', '|startswith: ""']) {
    t.equal(holds(`facts.probe_error${test}`), false, test);
  }
  t.equal(holds('facts.probe_error|exists: false'), true);
});

t.test('names of the language are no facts', async (t) => {
  t.equal(holds('facts.service|exists: true', { facts: Object.create({ service: 'x' }) }), false);
});

t.test('all faults are reported at once, each with its line and the nearest known name', async (t) => {
  const text = BUILTIN.replace('facts.state|in', 'facts.stat|in')
    .replace('version: 1', 'version: one')
    .replace('seconds: 300', 'seconds: -1')
    .replace('min_tier: SELF_HEAL', 'min_tier: SELFHEAL\ncolour: red');
  const found = faults(text);
  t.match(found, /rule\.yaml:2:10: version: must be a whole number/);
  t.match(found, /rule\.yaml:7:3: .*unknown key `facts\.stat\|in` \(did you mean `facts\.state\|in`\?\)/);
  t.match(found, /rule\.yaml:16:12: cooldown\.seconds: must be >= 0/);
  t.match(found, /min_tier: must be one of `MONITOR_ONLY`, `SELF_HEAL`, `FULL_REMEDIATION`/);
  t.match(found, /unknown key `colour`/);
});

t.test('a fact of another check is refused where it stands', async (t) => {
  t.match(faults(BUILTIN.replace('status: fail', 'facts.engine: clamav')), /rule\.yaml:6:3: when\.facts\.engine/);
  t.match(
    faults(BUILTIN.replace('from: facts.service', 'from: facts.engine')),
    /rule\.yaml:11:16: action\.params\.service\.from/,
  );
});

t.test('a rule that gives no reason for a number is refused', async (t) => {
  t.match(faults(BUILTIN.replace(/\n {2}reason: Slow.*/, '')), /verify\.reason: the key `reason` is missing/);
});

t.test('nesting has a limit', async (t) => {
  const deep = `${'not: { '.repeat(9)}status: fail${' }'.repeat(9)}`;
  t.match(faults(BUILTIN.replace('status: fail', deep)), /nested deeper than 8 levels/);
});

t.test('the digest is of the value: comments keep it, another number changes it', async (t) => {
  const digest = (text: string) => (parseRule(text, 'x') as { rule: Rule }).rule.digest;
  t.equal(digest(BUILTIN), digest(`# reviewed\n${BUILTIN}`));
  t.not(digest(BUILTIN), digest(BUILTIN.replace('seconds: 300', 'seconds: 301')));
  t.match(digest(BUILTIN), /^[0-9a-f]{64}$/);
});

t.test('files are checked together, and an id may stand in one of them only', async (t) => {
  const dir = t.testdir({ 'a.yaml': BUILTIN, 'b.yaml': BUILTIN, 'c.yaml': 'id: x' });
  const result = checkRuleFiles(['a.yaml', 'b.yaml', 'c.yaml'].map((name) => join(dir, name)));
  if (result.ok) throw new Error('two rules of one id were accepted');
  t.match(result.text, /b\.yaml:1:1: id: the id `required-service-down` is already used in .*a\.yaml/);
  t.match(result.text, /c\.yaml:\d+:\d+: /);
});

t.test('a rule set asks only the rules of the check, the first by id', async (t) => {
  const dir = t.testdir();
  for (const id of ['zz-last', 'aa-first']) {
    writeFileSync(join(dir, `${id}.yaml`), BUILTIN.replace('required-service-down', id));
  }
  const loaded = loadRuleFolder(dir);
  if (!loaded.ok) throw new Error(loaded.text);
  const set = createRuleSet(loaded.rules);
  t.equal(set.match(down)?.id, 'aa-first');
  t.equal(set.match({ ...down, check: 'firewall' }), undefined);
});

t.test('no text makes the parser throw', async (t) => {
  const piece = fc.oneof(
    fc.constantFrom(...BUILTIN.split('\n')),
    fc.string(),
    fc.constantFrom('- ', '{', '&a *a', '|', ': :'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (lines) => {
      const result = parseRule(lines.join('\n'), 'x');
      return result.ok || result.issues.every((issue) => issue.line >= 1 && issue.column >= 1);
    }),
    { numRuns: 300 },
  );
  t.pass();
});
