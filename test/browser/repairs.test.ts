import type { AgentRow, CheckRow } from '@sitewarden/agent-proto/http';
import type { Locator, Page } from 'playwright-core';
import t from 'tap';
import { agentRow, checkRow, type LiveBox } from './lib/live-box.ts';
import { look } from './lib/looks.ts';
import { DESK, openStage, type Partner, PHONE } from './lib/stage.ts';

const stage = await openStage(t);

const onTime = () => ({ clock: { nowMs: Date.now(), quality: 'synced' as const } });

const serviceRow = (agentId: string, status: CheckRow['status']): CheckRow =>
  checkRow(agentId, {
    check: 'services',
    subject: 'front-desk',
    status,
    severity: 'high',
    expected: 'the service runs',
    actual: status === 'fail' ? 'stopped' : 'running',
    reason: status === 'fail' ? 'The service front-desk is stopped.' : 'The service front-desk runs.',
    facts: { service: 'front-desk', manager: 'systemd', state: status === 'fail' ? 'stopped' : 'running' },
    sinceMs: Date.now(),
  });

const firewallRow = (agentId: string): CheckRow =>
  checkRow(agentId, { status: 'fail', severity: 'high', reason: 'The firewall is off for profile Public.' });

async function clinic(partner: Partner, tier: 0 | 1 | 2, ...hosts: string[]) {
  const { siteId, box } = await partner.newBox('Main street');
  await box.checkin(onTime());
  await partner.admin.call('changeSite', {
    params: { siteId },
    body: { agentTier: tier, requiredServices: ['front-desk', 'imaging'] },
  });
  const agents = hosts.map((hostname) => agentRow({ hostname, tier, lastHeartbeatAtMs: Date.now() - 2000 }));
  await box.send('telemetry', ...agents);
  return { siteId, box, agents: agents as [AgentRow, ...AgentRow[]] };
}

/** The newest order the box was not told to end. */
const newest = async (box: LiveBox) => {
  const order = (await box.fetchOrders()).at(-1);
  if (order === undefined) throw new Error('the box has no order');
  return order;
};

const isFocused = async (target: Locator) => (await target.and(target.page().locator(':focus')).count()) === 1;

/** Tabs on until this has the focus: what a keyboard cannot reach in so many steps it cannot reach. */
async function tabTo(page: Page, target: Locator, most = 60): Promise<void> {
  for (let n = 0; n < most; n += 1) {
    if (await isFocused(target)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${target}`);
}

for (const [width, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
  t.test(
    `a failing check is tried dry, repaired, green and undone, by keyboard alone, ${width}`,
    { skip: !stage },
    async (t) => {
      const partner = await stage!.newPartner();
      const { siteId, box, agents } = await clinic(partner, 1, 'ws-1');
      const [agent] = agents;
      await box.send('telemetry', serviceRow(agent.id, 'fail'));
      const page = await partner.open(`/sites/${siteId}/agents/${agent.id}`, { role: 'operator', viewport });
      const panel = page.getByRole('region', { name: 'Repairs of Required service front-desk' });
      await panel.getByText('What would mend it: Start service').waitFor();
      const list = page.locator('#orders');
      await list.getByText('Nothing was ordered lately').waitFor();
      await look(t, page, `repairs-fail-${width}`);

      const steps = panel.locator('[data-repair=start_service]');
      const button = (name: string) => steps.getByRole('button', { name, exact: true });
      t.ok(await button('3. Undo').isDisabled(), 'there is nothing to undo');
      await page.locator('#main').focus();
      await tabTo(page, button('1. Try dry'));
      await page.keyboard.press('Enter');
      await steps.getByText('Queued').waitFor();
      const dry = await newest(box);
      t.match(
        [dry.action, dry.params],
        ['start_service', { agent_id: agent.id, service: 'front-desk', dry_run: true }],
      );
      t.ok(await button('2. Do it').isDisabled(), 'one at a time');
      const stopped = { service: 'front-desk', state: 'stopped' };
      await box.answer(dry, {
        state: 'done',
        detail: 'Dry run, nothing was changed: would start front-desk.',
        before: stopped,
        after: stopped,
      });
      await steps.getByText('would start front-desk').waitFor();
      await steps.getByText('Nothing was changed. If that is what you want, do it.').waitFor();
      t.match(await steps.innerText(), /Start service front-desk, dry run[\s\S]*no fact differs/);

      await tabTo(page, button('2. Do it'));
      await page.keyboard.press('Enter');
      await steps.getByText('Start service front-desk on ws-1?').waitFor();
      await steps.getByText('It starts the service if it is stopped.').waitFor();
      t.ok(await isFocused(button('Cancel')), 'Enter does no harm');
      await look(t, page, `repairs-confirm-${width}`);
      await page.keyboard.press('Escape');
      await button('Yes, do it').waitFor({ state: 'detached' });
      t.ok(await isFocused(button('2. Do it')), 'the focus is back where it came from');
      t.equal((await box.fetchOrders()).length, 0, 'nothing was ordered');
      await page.keyboard.press('Enter');
      await button('Cancel').waitFor();
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      await steps.getByText('Queued').waitFor();
      const real = await newest(box);
      t.strictSame(real.params, { agent_id: agent.id, service: 'front-desk' });
      await steps.getByText('On the box').waitFor();
      await box.answer(real, { state: 'started' });
      await steps.getByText('Running').waitFor();
      await box.answer(real, {
        state: 'done',
        detail: 'front-desk was started and runs.',
        before: stopped,
        after: { ...stopped, state: 'running' },
      });
      await steps.getByText('front-desk was started and runs.').waitFor();
      await steps.getByText('Before and after: state from stopped to running').waitFor();
      await steps.getByText(/turns green by that look, not by the word of the repair/).waitFor();
      await box.send('telemetry', serviceRow(agent.id, 'pass'));
      await panel.getByText('Repaired lately: Start service').waitFor();
      await page.locator('#checks').getByText('Pass', { exact: true }).waitFor();
      await steps.getByRole('button', { name: /^Before and after/ }).click();
      t.match(await steps.getByRole('row', { name: /^state/ }).innerText(), /state\s+stopped\s+running/);
      await look(t, page, `repairs-green-${width}`);

      await page.locator('#main').focus();
      await tabTo(page, button('3. Undo'));
      await page.keyboard.press('Enter');
      await steps.getByText('Undo: Start service front-desk on ws-1?').waitFor();
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      await steps.getByText('Undo: Start service front-desk', { exact: true }).waitFor();
      const undo = await newest(box);
      t.match([undo.action, undo.params], ['undo', { agent_id: agent.id, order_id: real.orderId }]);
      await list.getByText('Is being undone').waitFor();
      await box.answer(undo, { state: 'done', before: { ...stopped, state: 'running' }, after: stopped });
      await list.getByText('Undone', { exact: true }).waitFor();
      t.equal(await list.getByRole('button', { name: 'Undo', exact: true }).count(), 0);
      await box.send('telemetry', serviceRow(agent.id, 'fail'));
      await panel.getByText('What would mend it: Start service').waitFor();
      t.ok(await button('3. Undo').isDisabled());
      t.notOk(await button('2. Do it').isDisabled());
      t.match(await list.getByRole('listitem').allInnerTexts(), [
        /^Undo: Start service front-desk/,
        /^Start service front-desk[\s\S]*Undone/,
        /dry run/,
      ]);
      await look(t, page, `repairs-orders-${width}`);
    },
  );
}

t.test(
  'a tier that is too low says so and leads to where it is set; readers see no repair',
  { skip: !stage },
  async (t) => {
    const partner = await stage!.newPartner();
    const { siteId, box, agents } = await clinic(partner, 1, 'ws-1');
    const [agent] = agents;
    await box.send('telemetry', firewallRow(agent.id));
    const path = `/sites/${siteId}/agents/${agent.id}`;
    const panelOf = (page: Page) => page.getByRole('region', { name: 'Repairs of Firewall' });

    const page = await partner.open(path);
    const panel = panelOf(page);
    await panel
      .getByText('Needs FULL_REMEDIATION; this workstation is on SELF_HEAL by the tier of the site.')
      .waitFor();
    for (const name of ['1. Try dry', '2. Do it', '3. Undo'])
      t.ok(await panel.getByRole('button', { name }).isDisabled(), name);
    const reason = await panel.getByRole('button', { name: '1. Try dry' }).getAttribute('aria-describedby');
    t.match(await page.locator(`[id="${reason}"]`).innerText(), /Needs FULL_REMEDIATION/, 'a screen reader hears why');
    await look(t, page, 'repairs-tier');
    await panel.getByRole('link', { name: 'Raise it in the settings of the site' }).click();
    await page.waitForURL(`**/sites/${siteId}/settings`);
    await page.getByRole('radio', { name: /FULL_REMEDIATION/ }).waitFor();
    await page.goBack();
    await panel.getByRole('link', { name: 'for this workstation alone' }).click();
    await page.locator('#tier-title:focus').waitFor();
    await page.getByLabel('Tier of ws-1').selectOption('FULL_REMEDIATION');
    await panel.getByText('FULL_REMEDIATION is set; the box still goes by SELF_HEAL.').waitFor();
    t.ok(await panel.getByRole('button', { name: '2. Do it' }).isDisabled());
    await box.send('telemetry', { ...agent, tier: 2 });
    await panel.getByText(/FULL_REMEDIATION/).waitFor({ state: 'detached' });
    t.notOk(await panel.getByRole('button', { name: '2. Do it' }).isDisabled());

    // Lowered by somebody else while this page shows the old one: the relay's own word, and the way on.
    await page.route(`**/api/sites/${siteId}/agents`, (route) => route.abort());
    await partner.admin.call('setAgentTier', { params: { siteId, agentId: agent.id }, body: { tier: 0 } });
    await panel.getByRole('button', { name: '1. Try dry' }).click();
    await panel.getByText('Nothing was ordered.', { exact: true }).waitFor();
    await panel.getByText('ORDER_TIER_TOO_LOW').waitFor();
    await panel.getByRole('link', { name: 'Raise it on the page of the workstation' }).waitFor();
    await look(t, page, 'repairs-refused');

    const operator = await partner.open(path, { role: 'operator' });
    await panelOf(operator).getByText('Ask an admin: it is set on the page of the workstation.').waitFor();
    await panelOf(operator).getByRole('link', { name: 'See its tier' }).click();
    await operator.locator('#tier-title:focus').waitFor();

    const reader = await partner.open(path, { role: 'readonly' });
    await reader.locator('#checks').getByText('The firewall is off for profile Public.').waitFor();
    await reader.locator('#orders').getByText('Nothing was ordered lately').waitFor();
    t.equal(await panelOf(reader).count(), 0);
    t.equal(await reader.locator('#repair').count(), 0);
    t.equal(await reader.getByRole('button', { name: /Try dry|Do it|Undo/ }).count(), 0);
    const technician = await partner.open('/claim', { role: 'technician' });
    await technician.goto(`${stage!.relay.url}${path}`);
    await technician
      .locator('#main')
      .getByText(/role|not/)
      .first()
      .waitFor();
    t.equal(await technician.getByRole('button', { name: /Try dry|Do it|Undo/ }).count(), 0);
  },
);

t.test(
  'parameters are asked for, checked where they are typed, and a window is kept in the words',
  { skip: !stage },
  async (t) => {
    const partner = await stage!.newPartner();
    const { siteId, box, agents } = await clinic(partner, 2, 'ws-1');
    const page = await partner.open(`/sites/${siteId}/agents/${agents[0].id}`, { timezoneId: 'America/Denver' });
    const form = page.locator('#repair');
    await form.getByLabel('Repair', { exact: true }).selectOption('screenlock_policy');
    await form.getByLabel('Lock after, in seconds').fill('1200');
    await form.getByText('A whole number from 60 to 900.').waitFor();
    t.ok(await form.getByRole('button', { name: '2. Do it' }).isDisabled());
    await form.getByLabel('Lock after, in seconds').fill('300');
    await form.getByRole('button', { name: '1. Try dry' }).click();
    await form.getByText('Queued').waitFor();
    const lock = await newest(box);
    t.match(lock, { action: 'screenlock_policy', params: { idle_seconds: 300, dry_run: true } });
    await box.answer(lock, {
      state: 'refused',
      code: 'RULED_ELSEWHERE',
      detail: 'A policy rules this. Change it there.',
    });
    await form.getByText('RULED_ELSEWHERE').waitFor();
    await form.getByText('Nothing was changed. Mend what the reason names').waitFor();

    await form.getByLabel('Repair', { exact: true }).selectOption('restart_service');
    t.equal(await form.getByLabel('Service', { exact: true }).inputValue(), 'front-desk', 'required at the site');
    await form.getByLabel('Service', { exact: true }).selectOption('Another one');
    await form.getByLabel('Name of the service').fill('-x');
    await form.getByText(/no hyphen at the beginning/).waitFor();
    await look(t, page, 'repairs-form');
    await form.getByLabel('Name of the service').fill('cups');
    await form.getByRole('button', { name: '1. Try dry' }).click();
    await form.getByText('Restart service cups, dry run').waitFor();
    t.match(await newest(box), { action: 'restart_service', params: { service: 'cups' } });

    await form.getByLabel('Repair', { exact: true }).selectOption('security_updates_install');
    await form.getByText('In your time, America/Denver').waitFor();
    await form.getByLabel('It lasts, in hours').fill('25');
    await form.getByText('More than 0 and at most 24 hours.').waitFor();
    await form.getByLabel('It lasts, in hours').fill('3');
    const inTwoDays = await page.evaluate<string>(`(() => {
    const day = new Date(Date.now() + 2 * 86_400_000);
    return day.getFullYear() + '-' + String(day.getMonth() + 1).padStart(2, '0') + '-' + String(day.getDate()).padStart(2, '0');
  })()`);
    await form.getByLabel('Window begins').fill(`${inTwoDays}T21:00`);
    await form.getByRole('button', { name: '2. Do it' }).click();
    await form.getByText('one that was begun is finished').waitFor();
    await form.getByRole('button', { name: 'Yes, do it' }).click();
    await form.getByText('Queued').waitFor();
    const install = await newest(box);
    const startMs = await page.evaluate<number>(`new Date('${inTwoDays}T21:00').getTime()`);
    t.strictSame(install.params, {
      agent_id: agents[0].id,
      window_start_ms: startMs,
      window_end_ms: startMs + 3 * 3_600_000,
    });
    await box.answer(install, { state: 'started', detail: 'Waits for its window.' });
    await form.getByText('Waits for its window', { exact: true }).waitFor();
    await form.getByText(/The box keeps it until its window begins, .*21:00:00 (MST|MDT|GMT-[67])/).waitFor();
    await look(t, page, 'repairs-window');
  },
);

t.test('one repair for the selected: an order each, and who was refused is named', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const { siteId, box, agents } = await clinic(partner, 1, 'ws-1', 'ws-2', 'ws-3', 'ws-4');
  for (const { id } of agents) await box.send('telemetry', serviceRow(id, 'fail'));
  await partner.admin.call('setAgentTier', { params: { siteId, agentId: agents[2]!.id }, body: { tier: 0 } });
  const page = await partner.open(`/sites/${siteId}/agents`, { role: 'operator' });
  for (const name of ['ws-1', 'ws-2', 'ws-3']) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
  await page.getByRole('button', { name: 'Repair 3 selected' }).click();
  const form = page.getByRole('region', { name: 'Repair the selected' });
  await form.getByText('2 of 3 workstations can have it now.').waitFor();
  await form.getByText('ws-3: Needs SELF_HEAL; this workstation is on MONITOR_ONLY by its own setting.').waitFor();
  await form.getByLabel('Service', { exact: true }).selectOption('front-desk');
  await look(t, page, 'repairs-bulk-form');
  await form.getByRole('button', { name: '2. Do it' }).click();
  await form.getByText('One order goes to each of 3 workstations; what the relay refuses is named.').waitFor();
  await form.getByRole('button', { name: 'Yes, do it' }).click();
  const run = page.getByRole('region', { name: 'Start service front-desk' });
  await run.getByText('1 of 3 orders ended, 2 on the way').waitFor();
  await run.getByText('Not taken by the relay: ws-3.').waitFor();
  const orders = await box.fetchOrders();
  t.strictSame(
    orders.map(({ action, params }) => [action, params]),
    [0, 1].map((n) => ['start_service', { service: 'front-desk', agent_id: agents[n]!.id }]),
  );
  const [first, second] = orders;
  await box.answer(first!, { state: 'done', before: { state: 'stopped' }, after: { state: 'running' } });
  await box.answer(second!, {
    state: 'failed',
    code: 'SERVICE_NOT_RUNNING',
    detail: 'Look at the log of the service.',
  });
  await run.getByText('3 of 3 orders ended').waitFor();
  await run.getByText('1 done, 1 failed, 1 not taken by the relay').waitFor();
  await run.getByRole('button', { name: 'Each order' }).click();
  t.match(await run.getByRole('listitem').allInnerTexts(), [
    /ws-3[\s\S]*Not taken by the relay[\s\S]*start_service needs SELF_HEAL/,
    /ws-2[\s\S]*Failed[\s\S]*Look at the log/,
    /ws-1[\s\S]*Done[\s\S]*state from stopped to running/,
  ]);
  await look(t, page, 'repairs-bulk-run');
  await run.getByRole('button', { name: 'Close' }).click();

  // The same steps stand in the row that opens.
  const row = page.locator('#workstations li[data-agent]', { hasText: 'ws-4' });
  await row.getByRole('button', { name: /^ws-4/ }).click();
  const panel = row.getByRole('region', { name: 'Repairs of Required service front-desk' });
  await panel.getByRole('button', { name: '1. Try dry' }).first().click();
  await panel.getByText('Start service front-desk, dry run').waitFor();
  await look(t, page, 'repairs-row');
});

t.test(
  'groups are made, filled, given a tier, renamed and deleted; each tier says where it comes from',
  { skip: !stage },
  async (t) => {
    const partner = await stage!.newPartner();
    const { siteId, box, agents } = await clinic(partner, 0, 'ws-1', 'ws-2', 'ws-3');
    const page = await partner.open(`/sites/${siteId}/agents`);
    const groups = page.locator('#groups');
    await groups.getByText('No group yet').waitFor();
    await groups.getByLabel('Name of a new group').fill('Reception');
    await groups.getByLabel('Its tier').selectOption('SELF_HEAL');
    await groups.getByRole('button', { name: 'Make the group' }).click();
    await groups.getByText('Reception', { exact: true }).waitFor();
    await groups.getByRole('link', { name: '0 workstations' }).waitFor();
    await groups.getByLabel('Name of a new group').fill('Reception');
    await groups.getByRole('button', { name: 'Make the group' }).click();
    await groups.getByText('NAME_TAKEN').waitFor();

    for (const name of ['ws-1', 'ws-2']) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
    await page.getByLabel('Group for the selected').selectOption('Reception');
    await page.getByRole('button', { name: 'Put 2 selected there' }).click();
    await page.getByText('Moved. A tier that changes by it is in force once the box says so.').waitFor();
    await groups.getByRole('link', { name: '2 workstations' }).waitFor();
    const row = (name: string) => page.locator('#workstations li[data-agent]', { hasText: name });
    await row('ws-1').getByText('MONITOR_ONLY, wanted SELF_HEAL, group Reception').waitFor();
    await look(t, page, 'groups');
    await row('ws-1').getByRole('button', { name: /^ws-1/ }).click();
    await row('ws-1').getByText('from its group Reception; the box has not said yet').waitFor();
    await box.send('telemetry', { ...agents[0], tier: 1 });
    await row('ws-1').getByText('It is from its group Reception.').waitFor();
    await row('ws-3').getByRole('button', { name: /^ws-3/ }).click();
    await row('ws-3').getByText('It is from the site.').waitFor();
    await row('ws-3').getByLabel('Group of ws-3').selectOption('Reception');
    await groups.getByRole('link', { name: '3 workstations' }).waitFor();
    await row('ws-3').getByLabel('Tier of ws-3').selectOption('FULL_REMEDIATION');
    await groups.getByText('For 1 workstation its own tier goes before it').waitFor();

    await groups.getByLabel('Tier of the group Reception').selectOption('FULL_REMEDIATION');
    await row('ws-2').getByText('MONITOR_ONLY, wanted FULL_REMEDIATION, group Reception').waitFor();
    await groups.getByRole('button', { name: 'Rename Reception' }).click();
    await groups.getByLabel('New name of Reception').fill('Front office');
    await page.keyboard.press('Enter');
    await groups.getByText('Front office', { exact: true }).waitFor();
    await row('ws-2')
      .getByText(/group Front office/)
      .waitFor();
    await page.getByRole('checkbox', { name: 'Select ws-1' }).uncheck();
    await page.getByLabel('Group for the selected').selectOption('No group');
    await page.getByRole('button', { name: 'Put 1 selected there' }).click();
    await groups.getByRole('link', { name: '2 workstations' }).click();
    await page.getByText('2 of 3 workstations').waitFor();
    await page.getByLabel('Group', { exact: true }).selectOption('None');
    await page.getByText('1 of 3 workstations').waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();

    await groups.getByRole('button', { name: 'Delete Front office' }).click();
    await groups.getByText('Its workstations (2) stay and follow the tier of the site').waitFor();
    await look(t, page, 'groups-delete');
    await groups.getByRole('button', { name: 'Yes, delete the group' }).click();
    await groups.getByText('No group yet').waitFor();
    const { body } = await partner.admin.call<{
      agents: { hostname: string; wantedTier: number; groupId: string | null }[];
    }>('agents', { params: { siteId } });
    t.strictSame(
      body.agents.map(({ wantedTier, groupId }) => [wantedTier, groupId]),
      [
        [0, null],
        [0, null],
        [2, null],
      ],
    );

    const operator = await partner.open(`/sites/${siteId}/agents`, { role: 'operator' });
    await operator.locator('#groups').getByText('An admin makes them').waitFor();
    t.equal(await operator.locator('#groups').getByRole('button').count(), 0);
  },
);

t.test('the orders of a workstation are live, and say so when they cannot be read', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const { siteId, box, agents } = await clinic(partner, 1, 'ws-1', 'ws-2');
  const [agent] = agents;
  const page = await partner.open('/');
  await page.route(`**/api/sites/${siteId}/orders`, (route) => route.abort());
  await page.goto(`${stage!.relay.url}/sites/${siteId}/agents/${agent.id}`);
  const list = page.locator('#orders');
  await list.getByText('The orders could not be loaded.').waitFor();
  await look(t, page, 'repairs-orders-error');
  await page.unroute(`**/api/sites/${siteId}/orders`);
  await list.getByRole('button', { name: 'Try again' }).click();
  await list.getByText('Nothing was ordered lately').waitFor();

  const give = (agentId: string) =>
    partner.admin.call('createOrder', {
      params: { siteId },
      body: { action: 'restart_service', agentId, params: { service: 'imaging' } },
    });
  await give(agents[1]!.id);
  await give(agent.id);
  await list.getByText('Restart service imaging').waitFor();
  t.equal(await list.getByRole('listitem').count(), 1, 'those of this workstation');
  const order = await newest(box);
  await list.getByText('On the box').waitFor();
  await list.getByText('The box passes it to the workstation.').waitFor();
  for (const [said, word, next] of [
    [{ state: 'started' }, 'Running', 'The workstation is at it.'],
    [{ state: 'indeterminate' }, 'Unclear', 'Nobody can say whether it ran.'],
    [{ state: 'failed', code: 'SERVICE_NOT_RUNNING' }, 'Failed', 'Read why, look at the workstation'],
  ] as const) {
    await box.answer(order, said);
    await list.getByText(word, { exact: true }).waitFor();
    await list.getByText(next).waitFor();
  }
  await list.getByText('SERVICE_NOT_RUNNING').waitFor();
  await list.getByText('1 order', { exact: true }).waitFor();
  await list.getByText('Ada Moreno').waitFor();

  await page.goto(`${stage!.relay.url}/sites/${siteId}`);
  const ofSite = page.locator('#orders');
  await ofSite.getByText('Restart service imaging on ws-1').waitFor();
  await ofSite.getByText('Restart service imaging on ws-2').waitFor();
});
