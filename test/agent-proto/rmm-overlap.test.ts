import {
  OWN_ACTIONS,
  type OwnAction,
  overlapReport,
  RMM_AREAS,
  RMM_PRODUCTS,
  type WorkstationFindings,
} from '@sitewarden/agent-proto/rmm';
import fc from 'fast-check';
import t from 'tap';
import { ACTIONS } from '../../agent/heal/actions/index.ts';

const finding = (product: string, running = true, version = '') => ({ product, running, version });
const ALL: readonly OwnAction[] = [
  ...OWN_ACTIONS.filter(({ action }) => ['run_check', 'restart_service'].includes(action)),
  { action: 'install_updates', changes: ['updates'] },
  { action: 'firewall_on', changes: ['firewall'] },
];

t.test('the report says which workstation has which tool and which of our actions it would fight', async (t) => {
  const report = overlapReport(
    [
      { agentId: 'a1', host: 'desk-1', findings: [finding('Datto RMM', true, '4.4'), finding('TeamViewer')] },
      { agentId: 'a2', host: 'desk-2', findings: [] },
      { agentId: 'a3', host: 'desk-3', findings: [finding('NinjaOne', false), finding('Microsoft Intune')] },
    ],
    ALL,
  );
  t.equal(report.cleanCount, 1);
  t.match(
    report.workstations.map(({ host }) => host),
    ['desk-3', 'desk-1'],
  );
  const [third, first] = report.workstations;
  t.match(first, {
    tools: [
      { product: 'Datto RMM', kind: 'rmm', version: '4.4' },
      { product: 'TeamViewer', kind: 'remote_control' },
    ],
    fights: [
      { action: 'restart_service', product: 'Datto RMM', area: 'services', certainty: 'likely', why: /services/ },
      { action: 'install_updates', product: 'Datto RMM', area: 'updates', certainty: 'likely', why: /updates/ },
    ],
  });
  t.equal(
    first!.fights.some(({ product }) => product === 'TeamViewer'),
    false,
    'a person behind a screen fights nothing',
  );
  t.strictSame(
    third!.fights.map(({ action, product, certainty }) => `${action} ${product} ${certainty}`),
    [
      'install_updates Microsoft Intune likely',
      'firewall_on Microsoft Intune likely',
      'restart_service NinjaOne possible',
      'install_updates NinjaOne possible',
    ],
  );
  t.match(
    report.products.find(({ product }) => product === 'NinjaOne'),
    { installed: 1, running: 0, kind: 'rmm' },
  );
});

t.test('two tools that run are rivals of each other, whatever we do', async (t) => {
  const findings = [finding('Datto RMM'), finding('NinjaOne'), finding('Atera', false)];
  const [one] = overlapReport([{ agentId: 'a', host: 'h', findings }], []).workstations;
  t.strictSame(one!.fights, []);
  t.match(one!.rivals, [
    { area: 'services', products: ['Datto RMM', 'NinjaOne'] },
    { area: 'updates' },
    { area: 'antimalware' },
  ]);
});

t.test('a tool seen twice is one, and runs when it was seen running once', async (t) => {
  const findings = [finding('Atera', false, ''), finding('Atera', true, '1.8')];
  const [one] = overlapReport([{ agentId: 'a', host: 'h', findings }]).workstations;
  t.strictSame(one!.tools, [{ product: 'Atera', version: '1.8', running: true, kind: 'rmm' }]);
});

t.test('a tool of a newer agent is shown, and nobody says what it does', async (t) => {
  const [one] = overlapReport([{ agentId: 'a', host: 'h', findings: [finding('Tool of Tomorrow')] }], ALL).workstations;
  t.match(one, { tools: [{ kind: 'unknown' }], fights: [] });
});

t.test('every action of the agent stands in the list with what it changes', async (t) => {
  t.strictSame(OWN_ACTIONS.map(({ action }) => action).sort(), ACTIONS.map(({ name }) => name).sort());
  const intune = [{ agentId: 'a', host: 'h', findings: [finding('Microsoft Intune')] }];
  t.strictSame(
    overlapReport(intune).workstations[0]!.fights.map(({ action, area }) => `${action} ${area}`),
    [
      'firewall_on firewall',
      'defender_start antimalware',
      'signatures_update antimalware',
      'screenlock_policy screenlock',
      'security_updates_install updates',
      'bitlocker_resume encryption',
      'undo firewall',
      'undo screenlock',
    ],
  );
});

t.test(
  'the order of what was seen does not matter, and every fight is of a tool and an action that are there',
  async (t) => {
    const anyFinding = fc.record({
      product: fc.constantFrom(...RMM_PRODUCTS.map(({ product }) => product), 'Other'),
      running: fc.boolean(),
      version: fc.constantFrom('', '1'),
    });
    const anySeen: fc.Arbitrary<WorkstationFindings[]> = fc
      .array(fc.array(anyFinding, { maxLength: 4 }), { maxLength: 5 })
      .map((all) => all.map((findings, i) => ({ agentId: `a${i}`, host: `h${i}`, findings })));
    const anyActions = fc.array(
      fc.record({ action: fc.constantFrom('x', 'y'), changes: fc.uniqueArray(fc.constantFrom(...RMM_AREAS)) }),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(anySeen, anyActions, (seen, actions) => {
        const report = overlapReport(seen, actions);
        t.strictSame(overlapReport([...seen].reverse(), actions), report);
        return (
          report.cleanCount + report.workstations.length === seen.length &&
          report.workstations.every(({ tools, fights }) =>
            fights.every(
              ({ product, action, area }) =>
                tools.some((tool) => tool.product === product) &&
                actions.some((one) => one.action === action && one.changes.includes(area)),
            ),
          )
        );
      }),
    );
  },
);
