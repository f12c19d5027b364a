import type { Facts } from '@sitewarden/agent-proto/agent';
import { CHECKS, type CheckName, type CheckSeverity, type CheckStatus } from '@sitewarden/agent-proto/checks';
import fc from 'fast-check';
import t from 'tap';
import { COLLECTORS } from '../../../agent/collect/index.ts';
import { failedAnswer, parseWmic, type SectionAnswer, type SectionProblem } from '../../../agent/windows/index.ts';
import { machine, machines, recording } from '../helpers/recordings.ts';
import { type Ask, WINDOWS_FACTS as FACTS } from '../helpers/windows-facts.ts';
import { endsWithStep } from './next-step.ts';

const evaluate = (check: CheckName, facts: Facts) => COLLECTORS.find(({ name }) => name === check)!.evaluate(facts);

type Row = [check: CheckName, status: CheckStatus, actual: RegExp, severity?: CheckSeverity];

const EXPECTED: Record<string, Row[]> = {
  'win11-pro-domain': [
    ['bitlocker', 'pass', /2 of 2 volumes encrypted with BitLocker/],
    ['defender', 'pass', /Microsoft Defender runs, signatures 0/],
    ['firewall', 'pass', /drop in all profiles/],
    ['patches', 'pass', /no security update pending/],
    ['screenlock', 'pass', /600 s/],
    ['services', 'pass', /running/],
  ],
  'win11-home-clear-key': [
    ['bitlocker', 'fail', /encrypted, protection off: C:/, 'high'],
    ['defender', 'fail', /signatures 9 days old/, 'high'],
    ['patches', 'fail', /1 security update/, 'high'],
    ['screenlock', 'fail', /never locks/],
  ],
  'win11-suspended': [
    ['bitlocker', 'fail', /protection off: C:/, 'high'],
    ['defender', 'fail', /without real-time/, 'high'],
    ['firewall', 'fail', /off in the profiles public/, 'high'],
    ['patches', 'unknown', /unknown/],
    ['screenlock', 'fail', /locks after 1800 s/],
  ],
  'win10-converting': [
    ['bitlocker', 'fail', /not fully encrypted: C:/, 'medium'],
    ['defender', 'fail', /days old/],
    ['firewall', 'fail', /accept/],
    ['patches', 'pass', /no security update/],
    ['screenlock', 'pass', /900 s/],
  ],
  'win10-data-bare': [
    ['bitlocker', 'fail', /not encrypted: D:/, 'high'],
    ['firewall', 'unknown', /unknown/],
    ['patches', 'unknown', /unknown/],
    ['screenlock', 'not_applicable', /not applicable/],
  ],
  'win10-no-tpm': [
    ['bitlocker', 'fail', /not encrypted: C:/, 'high'],
    ['defender', 'pass', /Bitdefender runs/],
    ['firewall', 'unknown', /unknown/],
  ],
  'win10-third-party-old': [['defender', 'fail', /Kaspersky runs with old signatures/, 'high']],
  'win11-third-party-expired': [['defender', 'fail', /McAfee is snoozed or expired/, 'high']],
  'win10-locked-data': [['bitlocker', 'unknown', /unknown/]],
  'win11-not-elevated': [
    ['bitlocker', 'unknown', /unknown/],
    ['defender', 'unknown', /unknown/],
    ['firewall', 'pass', /drop/],
    ['patches', 'unknown', /unknown/],
    ['screenlock', 'unknown', /unknown/],
  ],
  'server-2022': [
    ['bitlocker', 'unknown', /unknown/],
    ['defender', 'pass', /Microsoft Defender/],
    ['firewall', 'pass', /drop/],
    ['patches', 'fail', /1 security/],
    ['screenlock', 'pass', /900 s/],
  ],
  'server-2019-falcon': [
    ['defender', 'pass', /CrowdStrike Falcon runs/],
    ['firewall', 'fail', /off in the profiles domain, private, public/],
    ['services', 'pass', /running/],
  ],
  'win11-constrained': [
    ['bitlocker', 'pass', /1 of 1/],
    ['firewall', 'unknown', /unknown/],
    ['patches', 'unknown', /unknown/],
    ['screenlock', 'not_applicable', /not applicable/],
  ],
  'win11-rmm': [['services', 'pass', /running/]],
};

for (const one of machines()) {
  t.test(`${one.about}`, async (t) => {
    t.ok(one.source.length > 0, 'says where its values are documented');
    for (const [check, status, actual, severity] of EXPECTED[one.name]!) {
      const facts = FACTS[check](one.ask);
      for (const name of Object.keys(facts)) t.ok((CHECKS[check].facts as readonly string[]).includes(name), name);
      const verdict = evaluate(check, facts);
      t.equal(verdict.status, status, `${check}: ${verdict.reason}`);
      t.match(verdict.actual, actual, check);
      if (severity !== undefined) t.equal(verdict.severity, severity, check);
    }
  });
}

t.test('facts of BitLocker tell protection, conversion, protectors and escrow apart', async (t) => {
  t.strictSame(FACTS.bitlocker(machine('win11-pro-domain').ask), {
    technology: 'bitlocker',
    volumes: 2,
    encrypted_volumes: 2,
    unencrypted_volumes: [],
    unprotected_volumes: [],
    converting_volumes: [],
    locked_volumes: [],
    tpm_present: true,
    root_encrypted: true,
    key_protectors: ['tpm', 'recovery_password'],
    recovery_protector: true,
    escrow: 'not_known',
  });
  t.match(FACTS.bitlocker(machine('win11-home-clear-key').ask), {
    unprotected_volumes: ['C:'],
    key_protectors: [],
    recovery_protector: false,
    escrow: 'none',
  });
  t.match(evaluate('bitlocker', FACTS.bitlocker(machine('win10-no-tpm').ask)).reason, /no TPM/);
});

t.test('not being let in says who should run the agent, and a missing feature says that it is missing', async (t) => {
  const reasonOf = (name: string) => evaluate('bitlocker', FACTS.bitlocker(machine(name).ask)).reason;
  t.match(reasonOf('win11-not-elevated'), /SYSTEM/);
  t.match(reasonOf('server-2022'), /not part of this Windows/);
});

t.test('a disk that BitLocker does not show keeps the check from passing', async (t) => {
  const { ask } = machine('win11-pro-domain');
  const bitlocker = ask('bitlocker');
  if (!bitlocker.ok) throw new Error('no rows');
  const shown = { ...bitlocker, rows: bitlocker.rows.slice(0, 1) };
  const facts = FACTS.bitlocker((section) => (section === 'bitlocker' ? shown : ask(section)));
  t.equal(evaluate('bitlocker', facts).status, 'unknown');
  t.match(facts.probe_error, /D:/);
});

t.test('without PowerShell the volumes of wmic are judged the same', async (t) => {
  const { ask } = machine('win11-pro-domain');
  const rows = parseWmic(recording('tools/wmic-volumes.txt'), [
    'DeviceID',
    'DriveLetter',
    'ProtectionStatus',
    'ConversionStatus',
    'EncryptionMethod',
    'VolumeType',
  ]);
  const withRows = (some: typeof rows, disks = ask('disks')) =>
    FACTS.bitlocker((section) =>
      section === 'bitlocker' ? { ok: true, source: 'wmic', rows: some } : section === 'disks' ? disks : ask(section),
    );
  t.match(evaluate('bitlocker', withRows(rows)), { status: 'fail', actual: 'not encrypted: D:' });
  t.equal(evaluate('bitlocker', withRows(rows.slice(0, 1))).status, 'unknown', 'D: is a disk that nobody showed');
  t.equal(evaluate('bitlocker', withRows(rows.slice(0, 1), machine('win11-suspended').ask('disks'))).status, 'pass');
  const old = rows.map(({ DeviceID, DriveLetter, ProtectionStatus }) => ({ DeviceID, DriveLetter, ProtectionStatus }));
  t.equal(
    evaluate('bitlocker', withRows(old)).status,
    'unknown',
    'without the conversion "protected" is half an answer',
  );
});

t.test('updates are told by the ids of their categories and by their severity', async (t) => {
  const facts = FACTS.patches(machine('win11-home-clear-key').ask);
  t.match(facts, { pending_security: 1, pending_total: 1, sample: ['KB5046633'], index_age_days: 1, hotfixes: 3 });
  t.equal(FACTS.patches(machine('win11-pro-domain').ask).pending_total, 0, 'signatures and drivers are no debt');
});

const PROBLEMS: SectionProblem[] = [
  'not_there',
  'denied',
  'service_off',
  'no_command',
  'late',
  'no_tool',
  'odd_answer',
  'failed',
];
const CHECK_OF = Object.keys(FACTS) as CheckName[];

t.test('whatever sections fail, nothing that was not a pass becomes one', async (t) => {
  const all = machines();
  fc.assert(
    fc.property(
      fc.constantFrom(...all),
      fc.constantFrom(...CHECK_OF),
      fc.dictionary(
        fc.constantFrom(
          'system',
          'bitlocker',
          'disks',
          'tpm',
          'defender',
          'firewall',
          'firewall_products',
          'services',
          'screenlock',
          'reboot',
          'updates',
        ),
        fc.constantFrom(...PROBLEMS),
      ),
      (one, check, broken) => {
        const before = evaluate(check, FACTS[check](one.ask));
        const ask: Ask = (section) => (section in broken ? failedAnswer(broken[section]!) : one.ask(section));
        const after = evaluate(check, FACTS[check](ask));
        return after.status !== 'pass' || before.status === 'pass';
      },
    ),
    { numRuns: 1000 },
  );
  t.pass();
});

t.test('facts that get lost, and lists in another order, never make a pass of what was none', async (t) => {
  const judged = machines().flatMap((one) =>
    CHECK_OF.map((check) => ({ check, facts: FACTS[check](one.ask) }))
      .map(({ check, facts }) => ({ check, facts, status: evaluate(check, facts).status }))
      .filter(({ status }) => status === 'fail' || status === 'unknown'),
  );
  t.ok(judged.length > 30);
  fc.assert(
    fc.property(fc.constantFrom(...judged), fc.infiniteStream(fc.boolean()), ({ check, facts, status }, coin) => {
      const isKept = () => coin.next().value === true;
      // What kept the collector from looking is no fact to lose: nothing reports without it.
      const kept = Object.entries(facts).filter(([name]) => name === 'probe_error' || isKept());
      const shuffled = Object.fromEntries(
        kept.map(([name, value]) => [name, Array.isArray(value) ? [...value].reverse() : value]),
      );
      const after = evaluate(check, shuffled).status;
      if (after === 'pass') t.fail(`${check} ${status}: ${JSON.stringify(shuffled)}`);
      return after !== 'pass';
    }),
    { numRuns: 1000 },
  );
});

const anyValue = fc.oneof(
  fc.constantFrom(null, true, false, 'TRUE', 'FALSE', '', 'C:', 'Running', 'Domain', 'active', 'FullLanguage'),
  fc.integer({ min: -3, max: 9 }),
  fc.nat(),
  fc.array(fc.nat({ max: 11 }), { maxLength: 3 }),
  fc.object({ maxDepth: 1 }),
);

t.test('rows of any content give facts and a verdict that says what to do', async (t) => {
  const rows = machines().flatMap((one) =>
    (
      [
        'bitlocker',
        'disks',
        'tpm',
        'defender',
        'antivirus',
        'firewall',
        'services',
        'screenlock',
        'reboot',
        'updates',
        'system',
      ] as const
    ).flatMap((section) => {
      const answer = one.ask(section);
      return answer.ok ? answer.rows.flatMap((row) => Object.keys(row)) : [];
    }),
  );
  const names = [...new Set(rows)];
  const anyRow = fc.dictionary(fc.constantFrom(...names), anyValue, { maxKeys: 12 });
  const anyAnswer: fc.Arbitrary<SectionAnswer> = fc.oneof(
    fc.array(anyRow, { maxLength: 4 }).map((found) => ({ ok: true, source: 'powershell', rows: found }) as const),
    fc.constantFrom(...PROBLEMS).map((problem) => failedAnswer(problem)),
  );
  fc.assert(
    fc.property(fc.constantFrom(...CHECK_OF), fc.func(anyAnswer), (check, ask) => {
      const { status, reason } = evaluate(check, FACTS[check](ask as unknown as Ask));
      const isFine = status === 'pass' || status === 'not_applicable' || endsWithStep(reason);
      if (!isFine) t.fail(`${check}: ${reason}`);
      return isFine;
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

t.test('a fact of the pass that is taken away never leaves a pass', async (t) => {
  const needed: Partial<Record<CheckName, string[]>> = {
    bitlocker: [
      'technology',
      'volumes',
      'encrypted_volumes',
      'unencrypted_volumes',
      'unprotected_volumes',
      'converting_volumes',
      'root_encrypted',
    ],
    defender: ['engine', 'engine_running', 'realtime', 'signature_age_days', 'engines_found'],
    firewall: ['technology', 'active', 'profiles_off', 'input_policy', 'policy_source'],
    patches: ['manager', 'pending_security', 'index_age_days', 'reboot_required'],
    screenlock: ['desktop', 'lock_enabled', 'idle_seconds', 'graphical_sessions'],
  };
  for (const [check, names] of Object.entries(needed) as [CheckName, string[]][]) {
    const good = FACTS[check](machine('win11-pro-domain').ask);
    t.equal(evaluate(check, good).status, 'pass', check);
    for (const name of names) {
      const { [name]: _, ...rest } = good;
      t.not(evaluate(check, rest).status, 'pass', `${check} without ${name}`);
    }
  }
});
