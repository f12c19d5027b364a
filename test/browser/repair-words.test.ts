import {
  ACTION_PARAMS,
  MAX_WINDOW_AHEAD_MS as AHEAD_MS,
  MENDING_ACTIONS,
  MAX_WINDOW_MS as WINDOW_MS,
} from '@sitewarden/agent-proto/actions';
import { AGENT_ACTIONS, CHECK_NAMES, canUndoAction, checkOf } from '@sitewarden/agent-proto/checks';
import { ORDER_STATES } from '@sitewarden/agent-proto/http';
import t from 'tap';
import type { Agent, Check, Order } from '../../relay/web/src/api/types.ts';
import {
  type Bulk,
  endWords,
  isOver,
  nextToSend,
  tally,
  waitingTarget,
} from '../../relay/web/src/pages/agents/bulk.ts';
import { blockOf, latestOf } from '../../relay/web/src/pages/agents/repairs/repair-block.ts';
import { newDraft, paramsOfDraft, toLocalInput } from '../../relay/web/src/pages/agents/repairs/repair-draft.ts';
import {
  IDLE_SECONDS,
  MAX_WINDOW_AHEAD_MS,
  MAX_WINDOW_MS,
  nextStepWords,
  ORDERABLE,
  orderWords,
  REPAIRS,
  type RepairAction,
  repairsFor,
  SERVICE_NAME,
  UPDATE_TIER,
  waitsForWindow,
} from '../../relay/web/src/words/repairs.ts';
import { actionWords, orderTitle } from '../../relay/web/src/words/work.ts';

const HOUR_MS = 3_600_000;
const nowMs = new Date(2026, 2, 9, 14, 30).getTime();

const order = (over: Partial<Order> = {}): Order => ({
  id: 'ord_1',
  siteId: 'site_1',
  action: 'start_service',
  params: { agent_id: 'agt_1', service: 'front-desk' },
  agentId: 'agt_1',
  state: 'done',
  code: null,
  detail: '',
  dryRun: false,
  before: null,
  after: null,
  canUndo: false,
  undoneBy: null,
  requestedBy: 'Ada',
  createdAtMs: nowMs,
  changedAtMs: nowMs,
  expiresAtMs: nowMs + HOUR_MS,
  ...over,
});

/** A new version of the agent mends nothing. */
const repairs = MENDING_ACTIONS.filter((action) => action !== 'update_agent');

t.test('the repairs of the pages are those of the contract: tier, check, parameters, way back', async (t) => {
  t.strictSame(Object.keys(REPAIRS).toSorted(), [...repairs].toSorted());
  t.equal(UPDATE_TIER, AGENT_ACTIONS.update_agent.minTier);
  for (const action of repairs) {
    const repair = REPAIRS[action];
    t.equal(repair.minTier, AGENT_ACTIONS[action].minTier, `${action}: tier`);
    t.equal(repair.check ?? undefined, checkOf(action), `${action}: check`);
    t.equal(repair.canUndo, canUndoAction(action), `${action}: undo`);
    const { properties } = ACTION_PARAMS[action];
    const params = Object.keys(properties).filter((name) => name !== 'dry_run');
    t.strictSame([...repair.params].toSorted(), params.toSorted(), `${action}: parameters`);
    t.ok('dry_run' in properties, `${action}: dry run`);
    t.equal(actionWords(action), repair.name);
  }
  const { idle_seconds: idle } = ACTION_PARAMS.screenlock_policy.properties;
  t.match(IDLE_SECONDS, { min: idle.minimum, max: idle.maximum });
  t.equal(SERVICE_NAME.source, ACTION_PARAMS.start_service.properties.service.pattern);
  t.equal(MAX_WINDOW_MS, WINDOW_MS);
  t.equal(MAX_WINDOW_AHEAD_MS, AHEAD_MS);
});

t.test('every failing check has a repair, the likeliest first, and no other result has one', async (t) => {
  const check = (over: Partial<Check>) => ({ status: 'fail', facts: {}, ...over }) as Check;
  for (const name of CHECK_NAMES) {
    t.ok(repairsFor(check({ check: name })).length > 0, name);
    for (const action of repairsFor(check({ check: name }))) t.equal(REPAIRS[action].check, name);
    for (const status of ['pass', 'unknown', 'not_applicable'] as const)
      t.strictSame(repairsFor(check({ check: name, status })), []);
  }
  t.equal(repairsFor(check({ check: 'defender', facts: { engine_running: false } }))[0], 'defender_start');
  t.equal(repairsFor(check({ check: 'defender', facts: { engine_running: true } }))[0], 'signatures_update');
  t.equal(repairsFor(check({ check: 'patches', facts: { pending_security: 3 } }))[0], 'security_updates_install');
  t.equal(repairsFor(check({ check: 'patches', facts: { pending_security: 0 } }))[0], 'security_updates_scan');
  t.strictSame([...ORDERABLE, 'undo'].toSorted(), [...repairs].toSorted());
});

t.test('a tier that is too low, one that is on its way and a system that cannot are told apart', async (t) => {
  const agent = (over: Partial<Agent>) =>
    ({ tier: 1, wantedTier: 1, tierFrom: 'group', osFamily: 'linux', ...over }) as Agent;
  t.equal(blockOf('start_service', agent({})), undefined);
  t.match(blockOf('firewall_on', agent({})), {
    reason: 'Needs FULL_REMEDIATION; this workstation is on SELF_HEAL by the tier of its group.',
    tierFrom: 'group',
  });
  t.match(blockOf('firewall_on', agent({ wantedTier: 2 })), { reason: /still goes by SELF_HEAL/, tierFrom: null });
  t.equal(blockOf('firewall_on', agent({ tier: 2, wantedTier: 2 })), undefined);
  t.match(blockOf('start_service', agent({ tier: 0, wantedTier: 0, tierFrom: 'site' })), { tierFrom: 'site' });
  t.equal(blockOf('undo', agent({}), 'start_service'), undefined);
  t.match(blockOf('undo', agent({}), 'firewall_on'), { tierFrom: 'group' }, 'that of what it puts back');
  t.match(blockOf('bitlocker_resume', agent({ tier: 2, wantedTier: 2 })), { reason: /Windows/, tierFrom: null });
  t.equal(blockOf('bitlocker_resume', agent({ tier: 2, wantedTier: 2, osFamily: 'windows' })), undefined);
});

t.test('what was typed becomes parameters that the contract takes, or a word at its field', async (t) => {
  const draft = newDraft(nowMs, 'front-desk');
  t.equal(draft.windowStart, '2026-03-09T20:00', 'this evening');
  t.equal(newDraft(nowMs + 8 * HOUR_MS).windowStart, '2026-03-10T20:00', 'tomorrow, when it is over');
  const evening = new Date(2026, 2, 9, 20).getTime();
  type Case = readonly [action: RepairAction, change: Partial<typeof draft>, made: object];
  const cases: Case[] = [
    ['start_service', {}, { params: { service: 'front-desk' } }],
    ['start_service', { service: '' }, { faults: { service: /Name/ } }],
    ['restart_service', { service: '-x' }, { faults: { service: /hyphen/ } }],
    ['restart_service', { service: 'a/b' }, { faults: { service: /Letters/ } }],
    ['firewall_on', { service: '-x' }, { params: {} }],
    ['screenlock_policy', { idleSeconds: '300' }, { params: { idle_seconds: 300 } }],
    ...['59', '901', '60.5', '', 'x'].map(
      (idleSeconds) => ['screenlock_policy', { idleSeconds }, { faults: { idleSeconds: /60 to 900/ } }] satisfies Case,
    ),
    ['security_updates_install', {}, { params: { window_start_ms: evening, window_end_ms: evening + 4 * HOUR_MS } }],
    ['security_updates_install', { windowHours: '24.1' }, { faults: { windowHours: /24/ } }],
    ['security_updates_install', { windowHours: '0' }, { faults: { windowHours: /0/ } }],
    ['security_updates_install', { windowStart: '' }, { faults: { windowStart: /Name/ } }],
    ['security_updates_install', { windowStart: '2026-03-09T10:00' }, { faults: { windowStart: /over/ } }],
    ['security_updates_install', { windowStart: '2026-03-16T14:00' }, { faults: { windowStart: /7 days/ } }],
    [
      'security_updates_install',
      { windowStart: toLocalInput(new Date(nowMs - HOUR_MS)) },
      { params: { window_start_ms: nowMs - HOUR_MS } },
    ],
  ];
  for (const [action, change, wanted] of cases)
    t.match(paramsOfDraft(action, { ...draft, ...change }, nowMs), wanted, `${action} ${JSON.stringify(change)}`);
});

t.test('an order says in words what it is, where it is and what comes next', async (t) => {
  t.equal(orderTitle(order()), 'Start service front-desk');
  t.equal(orderTitle(order({ action: 'run_check' })), 'Run check');
  t.equal(
    orderTitle(order({ action: 'screenlock_policy', params: { idle_seconds: 300 } })),
    'Set screen lock after 300 s',
  );
  t.equal(orderWords({ action: 'undo', params: { order_id: 'ord_1' } }, order()), 'Undo: Start service front-desk');
  t.equal(orderWords({ action: 'undo', params: { order_id: 'ord_1' } }), 'Undo');
  for (const state of ORDER_STATES) t.match(nextStepWords(order({ state }), nowMs), /\.$/, state);
  t.match(nextStepWords(order({ dryRun: true }), nowMs), /Nothing was changed/);
  t.match(nextStepWords(order(), nowMs), /Required service turns green by that look/);
  t.equal(nextStepWords(order(), nowMs + HOUR_MS), '', 'by then it has looked');
  t.equal(nextStepWords(order({ action: 'run_check' }), nowMs), '');
  const params = { window_start_ms: nowMs + 1, window_end_ms: nowMs + HOUR_MS };
  const waiting = order({ action: 'security_updates_install', state: 'started', params });
  t.ok(waitsForWindow(waiting, nowMs));
  t.notOk(waitsForWindow(waiting, nowMs + 1), 'its window begins');
  t.notOk(waitsForWindow({ ...waiting, dryRun: true }, nowMs));
  t.notOk(waitsForWindow({ ...waiting, state: 'queued' }, nowMs));
  t.match(nextStepWords(waiting, nowMs), /keeps it until its window begins/);
});

t.test('what can be put back is the newest change of that repair alone', async (t) => {
  const wish = { agentId: 'agt_1', action: 'start_service' as const, service: 'front-desk' };
  const dry = order({ id: 'ord_3', dryRun: true });
  const done = order({ id: 'ord_2', canUndo: true });
  const older = order({ id: 'ord_0', canUndo: true });
  t.match(latestOf([dry, done], wish, nowMs), { last: { id: 'ord_3' }, undoable: { id: 'ord_2' } });
  const undone = { ...done, canUndo: false };
  const undo = order({ id: 'ord_9', action: 'undo', params: { agent_id: 'agt_1', order_id: 'ord_2' } });
  t.match(latestOf([undo, undone, older], wish, nowMs), { undoable: undefined, undo: { id: 'ord_9' } });
  t.equal(latestOf([done], { ...wish, service: 'other' }, nowMs).last, undefined);
  t.equal(latestOf([done], { ...wish, agentId: 'agt_2' }, nowMs).last, undefined);
  t.equal(latestOf([done], wish, nowMs + 25 * HOUR_MS).last, undefined, 'yesterday is for the list');
});

t.test('a run that waits for its window holds up neither the rest of it nor the next one', async (t) => {
  const params = { window_start_ms: nowMs + HOUR_MS, window_end_ms: nowMs + 2 * HOUR_MS };
  const sent = (state: Order['state'], n: number) => ({
    ...waitingTarget(`agt_${n}`, `ws-${n}`),
    state: 'sent' as const,
    order: order({ action: 'security_updates_install', state, params }),
  });
  const hundred = Array.from({ length: 100 }, (_, n) => sent('started', n));
  const bulk: Bulk = {
    action: 'security_updates_install',
    params,
    targets: [...hundred, waitingTarget('agt_x', 'ws-x')],
  };
  t.equal(nextToSend(bulk, nowMs), 100);
  t.equal(nextToSend(bulk, nowMs + HOUR_MS), -1, 'now all of them are at work');
  const all: Bulk = { ...bulk, targets: [...hundred, sent('done', 100)] };
  t.ok(isOver(tally(all, nowMs)));
  t.equal(endWords(tally(all, nowMs)), '1 done, 100 wait for their window');
  t.notOk(isOver(tally({ ...all, targets: [...all.targets, sent('queued', 101)] }, nowMs)));
});
