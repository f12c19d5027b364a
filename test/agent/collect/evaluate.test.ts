import type { Facts } from '@sitewarden/agent-proto/agent';
import { CHECKS, type CheckName, type CheckSeverity, type CheckStatus } from '@sitewarden/agent-proto/checks';
import fc from 'fast-check';
import t from 'tap';
import { COLLECTORS } from '../../../agent/collect/index.ts';
import { endsWithStep } from './next-step.ts';

type Row = [title: string, facts: Facts, status: CheckStatus, severity?: CheckSeverity];

const ENCRYPTED = {
  technology: 'luks',
  volumes: 2,
  encrypted_volumes: 2,
  unencrypted_volumes: [],
  root_encrypted: true,
};
const CLAMAV = {
  engine: 'ClamAV',
  reported_by: 'process',
  engine_running: true,
  realtime: true,
  signature_age_days: 1,
  engines_found: ['ClamAV'],
};
const NFT = { technology: 'nftables', active: true, input_policy: 'drop', rule_count: 5 };
const APT = {
  manager: 'apt',
  pending_security: 0,
  pending_total: 3,
  index_age_days: 1,
  reboot_required: false,
  sample: ['bash'],
};
const GNOME = {
  desktop: 'gnome',
  lock_enabled: true,
  idle_seconds: 300,
  source: 'gsettings',
  graphical_sessions: 1,
};
const SERVICE = { service: 'cron', manager: 'systemd', state: 'running', detail: 'active' };

const TABLE: Record<CheckName, Row[]> = {
  bitlocker: [
    ['all encrypted', ENCRYPTED, 'pass', 'info'],
    ['encrypted swap too', { ...ENCRYPTED, swap_encrypted: true }, 'pass'],
    ['swap in the clear', { ...ENCRYPTED, swap_encrypted: false }, 'fail', 'medium'],
    ['one bare volume', { ...ENCRYPTED, volumes: 3, unencrypted_volumes: ['/data'] }, 'fail', 'high'],
    [
      'one bare volume beside a hidden one',
      { ...ENCRYPTED, volumes: 4, unencrypted_volumes: ['/data'], probe_error: 'hidden' },
      'fail',
    ],
    ['a hidden volume', { ...ENCRYPTED, volumes: 3, probe_error: 'The device is hidden.' }, 'unknown', 'low'],
    ['a hidden volume nobody spoke of', { ...ENCRYPTED, volumes: 3 }, 'unknown'],
    ['root not seen', { ...ENCRYPTED, root_encrypted: false }, 'unknown'],
    ['no volume', { ...ENCRYPTED, volumes: 0, encrypted_volumes: 0 }, 'unknown'],
    ['a number as text', { ...ENCRYPTED, volumes: '2' }, 'unknown'],
  ],
  defender: [
    ['fresh ClamAV', CLAMAV, 'pass', 'info'],
    ['signatures a week old', { ...CLAMAV, signature_age_days: 7 }, 'pass'],
    ['signatures older than a week', { ...CLAMAV, signature_age_days: 8 }, 'fail', 'high'],
    [
      'signatures of unknown age',
      { engine: 'ClamAV', reported_by: 'process', engine_running: true, engines_found: ['ClamAV'] },
      'unknown',
    ],
    [
      'a commercial engine keeps its own signatures',
      {
        engine: 'CrowdStrike Falcon',
        reported_by: 'process',
        engine_running: true,
        engines_found: ['CrowdStrike Falcon'],
      },
      'pass',
    ],
    [
      'an engine nobody knows',
      { engine: 'Home Made', reported_by: 'process', engine_running: true, engines_found: ['Home Made'] },
      'unknown',
    ],
    ['installed and stopped', { ...CLAMAV, engine_running: false }, 'fail', 'high'],
    ['nothing installed', { engine_running: false, engines_found: [] }, 'fail', 'high'],
    ['hidden processes', { probe_error: 'Hidden.' }, 'unknown'],
    ['running without a name', { engine_running: true, engines_found: [] }, 'unknown'],
  ],
  firewall: [
    ['default drop', NFT, 'pass', 'info'],
    ['default reject', { ...NFT, input_policy: 'reject' }, 'pass'],
    ['default accept', { ...NFT, input_policy: 'accept' }, 'fail', 'high'],
    ['IPv6 left open', { ...NFT, input_policy: 'ipv4=drop ipv6=none' }, 'fail', 'high'],
    ['no filter', { technology: 'none', active: false, input_policy: 'none', rule_count: 0 }, 'fail', 'high'],
    ['no privilege', { probe_error: 'nft may not be asked.' }, 'unknown'],
    ['facts with a probe error never pass', { ...NFT, probe_error: 'half seen' }, 'unknown'],
    ['a word nobody knows', { ...NFT, input_policy: 'maybe' }, 'fail'],
  ],
  patches: [
    ['none pending', APT, 'pass', 'info'],
    ['security updates pending', { ...APT, pending_security: 2 }, 'fail', 'high'],
    ['pending with an old index', { ...APT, pending_security: 2, index_age_days: 90 }, 'fail'],
    ['an old index', { ...APT, index_age_days: 8 }, 'unknown'],
    ['no age', { ...APT, index_age_days: 'new' }, 'unknown'],
    ['a restart pending', { ...APT, reboot_required: true }, 'fail', 'medium'],
    ['no security archive', { ...APT, probe_error: 'None.' }, 'unknown'],
    ['no manager known', { reboot_required: false, probe_error: 'Neither.' }, 'unknown'],
  ],
  screenlock: [
    ['locks in time', GNOME, 'pass', 'info'],
    ['locks at the limit', { ...GNOME, idle_seconds: 900 }, 'pass'],
    ['locks too late', { ...GNOME, idle_seconds: 901 }, 'fail', 'medium'],
    ['never idle', { ...GNOME, idle_seconds: 0 }, 'fail', 'medium'],
    ['lock turned off', { ...GNOME, lock_enabled: false }, 'fail', 'medium'],
    ['one of two sessions unreadable', { ...GNOME, graphical_sessions: 2, probe_error: 'Xfce.' }, 'unknown'],
    ['one of two sessions open', { ...GNOME, lock_enabled: false, graphical_sessions: 2, probe_error: 'X.' }, 'fail'],
    ['no desktop', { desktop: 'none', graphical_sessions: 0 }, 'not_applicable', 'info'],
    ['nobody logged in', { desktop: 'installed', graphical_sessions: 0 }, 'not_applicable', 'info'],
    ['no desktop but a probe error', { desktop: 'none', graphical_sessions: 0, probe_error: 'Hidden.' }, 'unknown'],
    ['settings not read', { desktop: 'gnome', graphical_sessions: 1 }, 'unknown'],
  ],
  services: [
    ['running', SERVICE, 'pass', 'info'],
    ['stopped', { ...SERVICE, state: 'stopped' }, 'fail', 'high'],
    ['failed', { ...SERVICE, state: 'failed' }, 'fail', 'high'],
    ['not installed', { ...SERVICE, state: 'not_installed' }, 'fail', 'high'],
    ['unknown', { ...SERVICE, state: 'unknown' }, 'unknown', 'low'],
    ['a probe error', { ...SERVICE, probe_error: 'No answer.' }, 'unknown'],
    ['none required', { manager: 'systemd' }, 'not_applicable'],
    ['no facts at all', {}, 'unknown'],
  ],
};

for (const { name, evaluate } of COLLECTORS) {
  for (const [title, facts, status, severity] of TABLE[name]) {
    t.test(`${name}: ${title} is ${status}`, async (t) => {
      const verdict = evaluate(facts);
      t.equal(verdict.status, status);
      if (severity !== undefined) t.equal(verdict.severity, severity);
      // A problem the collector found brings its own step; those of this table are short words.
      const isOwnReason = facts.probe_error === undefined || status === 'fail';
      if ((status === 'fail' || status === 'unknown') && isOwnReason)
        t.ok(endsWithStep(verdict.reason), verdict.reason);
    });
  }
}

const anyFact = fc.oneof(
  fc.string(),
  fc.constantFrom('running', 'drop', 'apt', 'gnome', 'luks', 'ClamAV', 'systemd'),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.array(fc.string(), { maxLength: 3 }),
);
const anyFactsOf = (names: readonly string[]): fc.Arbitrary<Facts> =>
  fc
    .tuple(...names.map(() => fc.option(anyFact, { nil: undefined })))
    .map((values) =>
      Object.fromEntries(names.map((name, i) => [name, values[i]]).filter(([, value]) => value !== undefined)),
    );

for (const { name, evaluate } of COLLECTORS) {
  const good = TABLE[name].find(([, , status]) => status === 'pass')![1];
  const needed: Record<CheckName, string[]> = {
    bitlocker: ['volumes', 'encrypted_volumes', 'unencrypted_volumes', 'root_encrypted'],
    defender: ['engine', 'reported_by', 'engine_running', 'engines_found', 'signature_age_days'],
    firewall: ['technology', 'active', 'input_policy'],
    patches: ['manager', 'pending_security', 'index_age_days', 'reboot_required'],
    screenlock: ['desktop', 'lock_enabled', 'idle_seconds', 'graphical_sessions'],
    services: ['service', 'state'],
  };

  t.test(`${name}: any facts give a verdict, and a probe error never gives pass or not_applicable`, async (t) => {
    fc.assert(
      fc.property(anyFactsOf(CHECKS[name].facts), (facts) => {
        const { status, reason, actual } = evaluate(facts);
        const hasProblem = typeof facts.probe_error === 'string' && facts.probe_error !== '';
        return reason !== '' && actual !== '' && !(hasProblem && (status === 'pass' || status === 'not_applicable'));
      }),
      { numRuns: 500 },
    );
    t.pass();
  });

  t.test(`${name}: good facts with one of them missing or of another kind never pass`, async (t) => {
    for (const key of needed[name]) {
      const { [key]: value, ...rest } = good;
      t.not(evaluate(rest).status, 'pass', `${key} missing`);
      const other = typeof value === 'number' ? -1 : typeof value === 'boolean' ? 'true' : 7;
      t.not(evaluate({ ...rest, [key]: other }).status, 'pass', `${key} is ${other}`);
    }
  });
}
