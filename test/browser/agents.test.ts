import type { AgentRow, CheckRow, RmmRow } from '@sitewarden/agent-proto/http';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { agentRow, checkRow } from './lib/live-box.ts';
import { lookAtPage } from './lib/look-at-page.mjs';
import { DESK, openStage, type Partner, PHONE } from './lib/stage.ts';

const stage = await openStage(t);
/** Set to a folder to keep what the pages looked like. */
const PICTURES = process.env.SITEWARDEN_PICTURES;
const FLEET = 300;
const RENDER_MS = 1500;
const DAY_MS = 86_400_000;
const CHECKS = ['bitlocker', 'defender', 'firewall', 'patches', 'screenlock', 'services'] as const;

async function look(t: Test, page: Page, what: string): Promise<void> {
  for (const [width, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
      t.strictSame(await page.evaluate(lookAtPage), [], `${what}, ${width}, ${colorScheme}`);
      if (PICTURES) await page.screenshot({ path: `${PICTURES}/${what}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
  await page.setViewportSize(DESK);
}

/** A box whose clock is right: heartbeats are told by its time. */
const onTime = () => ({ clock: { nowMs: Date.now(), quality: 'synced' as const } });

const rmmRow = (agentId: string, ...products: string[]): RmmRow => ({
  type: 'rmm',
  agentId,
  findings: products.map((product) => ({
    product,
    version: '5.1',
    running: true,
    foundBy: 'service',
    sinceMs: Date.now() - DAY_MS,
  })),
  lookedAtMs: Date.now() - 60_000,
});

/**
 * Three hundred workstations with six results each. ws-000 to ws-019 fail the firewall, ws-020 to ws-029 have an unknown
 * result, ws-030 to ws-039 were heard an hour ago, ws-040 to ws-044 never; every third is a Mac without disk encryption
 * to check; ws-050 to ws-059 have another tool, ws-060 never looked for one.
 */
async function fleet(partner: Partner) {
  const { siteId, box } = await partner.newBox('Main street');
  await box.checkin(onTime());
  const rows: (AgentRow | CheckRow | RmmRow)[] = [];
  const agents: AgentRow[] = [];
  for (let n = 0; n < FLEET; n += 1) {
    const lastHeartbeatAtMs = n >= 40 && n < 45 ? null : Date.now() - (n >= 30 && n < 40 ? 3_600_000 : 5000);
    const isMac = n % 3 === 2;
    const agent = agentRow({
      hostname: `ws-${String(n).padStart(3, '0')}`,
      osFamily: isMac ? 'macos' : 'windows',
      osVersion: isMac ? 'macOS 15.6' : 'Windows 11 Pro',
      tier: n < 200 ? 0 : 1,
      lastHeartbeatAtMs,
    });
    agents.push(agent);
    rows.push(agent);
    for (const check of CHECKS) {
      const isFail = check === 'firewall' && n < 20;
      const isUnknown = check === 'patches' && n >= 20 && n < 30;
      const isOff = check === 'bitlocker' && isMac;
      const status = isFail ? 'fail' : isUnknown ? 'unknown' : isOff ? 'not_applicable' : 'pass';
      const reason = status === 'fail' ? 'The firewall is off for profile Public.' : `The result is ${status}.`;
      rows.push(checkRow(agent.id, { check, status, severity: 'high', reason, sinceMs: Date.now() - 10 * DAY_MS }));
    }
    if (n !== 60) rows.push(n >= 50 && n < 60 ? rmmRow(agent.id, 'NinjaOne', 'AnyDesk') : rmmRow(agent.id));
  }
  for (let from = 0; from < rows.length; from += 1000) await box.send('telemetry', ...rows.slice(from, from + 1000));
  return { siteId, box, agents };
}

const rows = (page: Page) => page.locator('#workstations li[data-agent]');

t.test('three hundred workstations are counted, listed worst first, and found', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const { siteId } = await fleet(partner);
  const page = await partner.open(`/sites/${siteId}`);
  await page.getByRole('link', { name: 'All 300 workstations' }).waitFor();
  const tookMs = await page.evaluate<number>(`(async () => {
    const started = performance.now();
    document.querySelector('#agents a[href$="/agents"]').click();
    while (!document.querySelector('#workstations li[data-agent]')) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - started;
  })()`);
  t.comment(`list of ${FLEET} shown after ${Math.round(tookMs)} ms`);
  t.ok(tookMs < RENDER_MS, `${tookMs} ms`);
  await page.waitForURL(`**/sites/${siteId}/agents`);
  t.equal(await rows(page).count(), 50, 'a page of rows, not all of them');
  const nodes = await page.evaluate<number>('document.querySelectorAll("*").length');
  t.ok(nodes < 3500, `${nodes} elements`);
  t.match(await rows(page).first().innerText(), /ws-000[\s\S]*1 fail/);
  t.match(await rows(page).nth(20).innerText(), /ws-020[\s\S]*1 unknown/, 'then what is not known');
  t.match(await rows(page).nth(30).innerText(), /ws-030[\s\S]*Offline/, 'then who is away');

  const fleetPart = page.locator('#fleet');
  // 300 x 6 results, of which 100 do not apply; 20 fail, 10 are unknown: 1670 of 1700.
  await fleetPart.getByText('98.2 %').waitFor();
  await fleetPart.getByText('1,670 of 1,700 applicable results pass; 20 fail, 10 unknown.').waitFor();
  await fleetPart.getByRole('button', { name: 'What these numbers mean' }).click();
  await fleetPart.getByText('Unknown counts as not passed.').waitFor();
  await fleetPart.getByText(/Longest away is ws-03\d, offline: last heartbeat 1 h ago/).waitFor();
  for (const [name, count] of [
    ['285 Online', 285],
    ['10 Offline', 10],
    ['5 Pending', 5],
    ['200 MONITOR_ONLY', 200],
    ['10 have one', 10],
    ['1 never looked', 1],
  ] as const) {
    await fleetPart.getByRole('link', { name }).click();
    await page.locator('#workstations').getByText(`${count} of 300 workstations`).waitFor();
    t.equal(await rows(page).count(), Math.min(50, count), name);
  }

  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.getByLabel('Failing check').selectOption('Firewall');
  await page.getByText('20 of 300 workstations').waitFor();
  await page.getByLabel('System', { exact: true }).selectOption('macOS');
  await page.getByText('6 of 300 workstations').waitFor();
  await page.reload();
  await page.getByText('6 of 300 workstations').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('ws-005');
  await page.getByText('1 of 300 workstations').waitFor();
  await page.keyboard.type('x');
  await page.getByText('No workstation is like that').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('51 to 100 of 300').waitFor();
  await page.getByRole('button', { name: 'Previous' }).click();

  const worst = rows(page).first();
  await worst.getByRole('button', { name: /^ws-000/ }).click();
  await worst.getByRole('button', { name: /Fail.*Firewall/ }).click();
  await worst.getByText('the firewall is on', { exact: true }).waitFor();
  t.match(await worst.innerText(), /technology\s+test/, 'the raw facts');
  await worst.getByText('No other management tool was found.').waitFor();
  await worst.getByRole('button', { name: 'About this workstation' }).click();
  t.match(await worst.innerText(), /Agent version\s+0\.1\.0[\s\S]*Last heartbeat/);

  const overlap = page.locator('#overlap');
  await overlap.getByText('10 with a tool, 289 without, 1 never looked').waitFor();
  t.match(await overlap.innerText(), /NinjaOne on 10, runs on 10/);
  t.match(await overlap.innerText(), /ws-050[\s\S]*Likely fights[\s\S]*Restart service”: NinjaOne/);
  await look(t, page, 'agents');
});

t.test('checks are run on one, on the selected and on all, and each order is followed', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const { siteId, box, agents } = await fleet(partner);
  const page = await partner.open(`/sites/${siteId}/agents`, { role: 'operator' });
  await rows(page).first().waitFor();
  const boxes = page.locator('input[data-select]');
  await boxes.first().focus();
  await page.keyboard.press('Space');
  for (let n = 0; n < 2; n += 1) await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await page.keyboard.press('Space');
  await page.getByText('3 selected', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Run check on 3 selected' }).click();
  const run = page.getByRole('region', { name: 'Run check' });
  await run.getByText('0 of 3 orders ended, 3 on the way').waitFor();
  const orders = await box.fetchOrders();
  t.same(
    orders.map(({ params }) => params.agent_id),
    agents.slice(0, 3).map(({ id }) => id),
  );
  await rows(page).first().getByText('On the box').waitFor();
  await box.receipt(orders[0]!, 'started');
  await rows(page).first().getByText('Running').waitFor();
  await box.receipt(orders[0]!, 'done', 'The agent answered.');
  await box.receipt(orders[1]!, 'failed', 'The agent is away.');
  await run.getByText('2 of 3 orders ended, 1 on the way').waitFor();
  await run.getByText('1 done, 1 failed, 1 on the box').waitFor();
  await run.getByRole('button', { name: 'Each order' }).click();
  t.match(await run.getByRole('listitem').first().innerText(), /ws-001[\s\S]*Failed[\s\S]*The agent is away\./);
  await look(t, page, 'agents-run');
  await box.receipt(orders[2]!, 'done');
  await run.getByText('3 of 3 orders ended').waitFor();
  await run.getByRole('button', { name: 'Close' }).click();

  await page.getByRole('checkbox', { name: '3 selected' }).check();
  await page.getByText('300 selected', { exact: true }).waitFor();
  await page.getByRole('checkbox', { name: '300 selected' }).uncheck();
  await page.getByRole('button', { name: 'Run check on all 300' }).click();
  await run.getByText('0 of 1 order ended, 1 on the way').waitFor();
  const all = await box.fetchOrders();
  t.same(all.at(-1)?.params, {}, 'one order for the whole site');
  await box.receipt(all.at(-1)!, 'done');
  await run.getByText('1 of 1 order ended').waitFor();

  await page.getByLabel('Heard').selectOption('Online');
  await page.getByRole('button', { name: 'Run check on all 285' }).click();
  await run.getByText(/100 on the way, 185 not sent yet/).waitFor({ timeout: 120_000 });
  await run.getByRole('button', { name: 'Send no more' }).click();
  await run.getByText('185 of 285 orders ended, 100 on the way').waitFor();

  const reader = await partner.open(`/sites/${siteId}/agents`, { role: 'readonly' });
  await rows(reader).first().waitFor();
  t.equal(await reader.getByRole('button', { name: /Run check/ }).count(), 0);
  t.equal(await reader.getByRole('checkbox').count(), 0);
});

t.test(
  'a tier that is wanted and one in force are told apart, and a refused one is taken back',
  { skip: !stage },
  async (t) => {
    const partner = await stage!.newPartner();
    const { siteId, box } = await partner.newBox('Main street');
    await box.checkin(onTime());
    const agents = ['ws-1', 'ws-2', 'ws-3'].map((hostname) => agentRow({ hostname, tier: 0 }));
    await box.send('telemetry', ...agents);
    await partner.admin.call('changeSite', { params: { siteId }, body: { agentTier: 0 } });
    const page = await partner.open(`/sites/${siteId}/agents`);
    const row = rows(page).first();
    await row.getByRole('button', { name: /^ws-1/ }).click();
    await row.getByText('It is from the site.').waitFor();
    const tier = row.getByLabel('Tier of ws-1');
    const answer = Promise.withResolvers<void>();
    await page.route('**/tier', async (route) => {
      await answer.promise;
      await route.continue();
    });
    await tier.selectOption('FULL_REMEDIATION');
    await row.getByText('Wanted: FULL_REMEDIATION').waitFor();
    t.match(await row.innerText(), /In force: MONITOR_ONLY/, 'what is in force is the box to say');
    answer.resolve();
    await page.locator('#fleet').getByText('1 workstation goes by another tier than the one wanted').waitFor();
    await look(t, page, 'agents-tier');
    await box.send('telemetry', { ...agents[0]!, tier: 2 });
    await row.getByText('It is set for this workstation.').waitFor();
    t.match(await row.innerText(), /In force: FULL_REMEDIATION/);

    await page.unroute('**/tier');
    const refused = Promise.withResolvers<void>();
    await page.route('**/tier', async (route) => {
      await refused.promise;
      await route.abort();
    });
    await tier.selectOption('As its group or site');
    await row.getByLabel('Tier of ws-1').waitFor();
    refused.resolve();
    await row.getByText('The tier was not set and is shown as before.').waitFor();
    t.equal(await tier.inputValue(), '2');
    await page.unroute('**/tier');

    for (const name of ['Select ws-2', 'Select ws-3']) await page.getByRole('checkbox', { name }).check();
    await page.getByLabel('Tier for the selected').selectOption('SELF_HEAL');
    await page.getByRole('button', { name: 'Set tier of 2 selected' }).click();
    await page.getByText('Set. It is in force once the box says so.').waitFor();
    await rows(page).filter({ hasText: 'ws-3' }).getByText('MONITOR_ONLY, wanted SELF_HEAL').waitFor();
    const { body } = await partner.admin.call<{ agents: { wantedTier: number; tierFrom: string }[] }>('agents', {
      params: { siteId },
    });
    t.match(
      body.agents.map(({ wantedTier, tierFrom }) => [wantedTier, tierFrom]),
      [
        [2, 'agent'],
        [1, 'agent'],
        [1, 'agent'],
      ],
    );

    const operator = await partner.open(`/sites/${siteId}/agents`, { role: 'operator' });
    await rows(operator).first().getByRole('button', { name: /^ws-1/ }).click();
    await operator.getByText(/In force/).waitFor();
    t.equal(await operator.getByLabel('Tier of ws-1').count(), 0, 'an operator does not set tiers');
  },
);

t.test(
  'an agent is removed after a word that says what happens, and diagnostics are read',
  { skip: !stage },
  async (t) => {
    const partner = await stage!.newPartner();
    const { siteId, box } = await partner.newBox('Main street');
    await box.checkin(onTime());
    const agents = ['ws-1', 'ws-2', 'ws-3'].map((hostname) => agentRow({ hostname }));
    await box.send('telemetry', ...agents);
    const page = await partner.open(`/sites/${siteId}/agents`, { role: 'operator' });
    await rows(page).first().getByRole('button', { name: /^ws-1/ }).click();
    await rows(page).first().getByRole('button', { name: 'Remove ws-1' }).click();
    await page.getByText('The agent stops at its next contact and says so on the workstation').waitFor();
    await look(t, page, 'agents-remove');
    t.equal(await page.evaluate('document.activeElement.textContent'), 'Cancel', 'Enter does no harm');
    await page.keyboard.press('Enter');
    t.same(await box.fetchOrders(), []);
    for (const name of ['Select ws-1', 'Select ws-2']) await page.getByRole('checkbox', { name }).check();
    await page.getByRole('button', { name: 'Remove 2 selected' }).click();
    await page.getByRole('button', { name: 'Yes, remove 2' }).click();
    const run = page.getByRole('region', { name: 'Remove agent' });
    await run.getByText('0 of 2 orders ended, 2 on the way').waitFor();
    const orders = await box.fetchOrders();
    t.match(
      orders.map(({ action, params }) => [action, params.agent_id]),
      agents.slice(0, 2).map(({ id }) => ['remove_agent', id]),
    );
    for (const [index, order] of orders.entries()) {
      await box.receipt(order, 'done');
      await box.send('telemetry', { ...agents[index]!, state: 'removed' });
    }
    await run.getByText('2 of 2 orders ended').waitFor();
    await rows(page).nth(1).waitFor({ state: 'detached' });
    t.match(await rows(page).first().innerText(), /ws-3/);

    await page.goto(`${stage!.relay.url}/sites/${siteId}/agents/${agents[2]!.id}`);
    await page.getByRole('button', { name: 'Collect diagnostics' }).click();
    const diagnostics = page.getByRole('region', { name: 'Collect diagnostics' });
    await diagnostics.getByText('0 of 1 order ended, 1 on the way').waitFor();
    const [order] = await box.fetchOrders();
    await box.receipt(order!, 'done', '', { queue_depth: 7 });
    await diagnostics.getByText('1 of 1 order ended').waitFor();
    await diagnostics.getByRole('button', { name: 'Each order' }).click();
    t.match(await diagnostics.innerText(), /queue depth\s+7/);
  },
);

t.test('the list is live, and says so when it is not', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const { siteId, box } = await partner.newBox('Main street');
  await box.checkin(onTime());
  const page = await partner.open(`/sites/${siteId}/agents`);
  await page.getByText('No agent has reported yet').waitFor();
  await look(t, page, 'agents-empty');
  const agent = agentRow();
  await box.send('telemetry', agent);
  await rows(page).first().getByText('No results yet').waitFor();
  await page.locator('#fleet').getByText('No result that applies has come in yet.').waitFor();
  await box.send('telemetry', checkRow(agent.id, { status: 'fail' }));
  await rows(page).first().getByText('1 fail').waitFor();
  t.match(await page.locator('#fleet').innerText(), /0\.0 %/);

  await page.route(`**/api/sites/${siteId}/agents`, (route) => route.abort());
  await box.send('telemetry', checkRow(agent.id, { status: 'pass' }));
  await page.getByText('The workstations could not be refreshed; what is shown is older.').waitFor();
  await rows(page).first().getByText('1 fail').waitFor();
  await page.unroute(`**/api/sites/${siteId}/agents`);
  await page.getByRole('button', { name: 'Try again' }).click();
  await rows(page).first().getByText('1 pass').waitFor();
  await page.goto(`${stage!.relay.url}/sites/site_${'a'.repeat(26)}/agents`);
  await page.getByText('There is no such site').waitFor();
});

t.test('a workstation has a page with the history of each check', { skip: !stage }, async (t) => {
  const partner = await stage!.newPartner();
  const { siteId, box } = await partner.newBox('Main street');
  await box.checkin(onTime());
  const agent = agentRow({ lastHeartbeatAtMs: Date.now() - 2000 });
  const nowMs = Date.now();
  const at = (status: CheckRow['status'], daysAgo: number, check: CheckRow['check'] = 'firewall') =>
    checkRow(agent.id, { check, status, sinceMs: nowMs - daysAgo * DAY_MS });
  await box.send('telemetry', agent, at('pass', 60), at('fail', 20), at('unknown', 12), at('pass', 10));
  await box.send('telemetry', at('not_applicable', 3, 'bitlocker'), rmmRow(agent.id, 'AnyDesk'));
  const page = await partner.open(`/sites/${siteId}/agents`);
  await rows(page)
    .first()
    .getByRole('button', { name: /^reception-1/ })
    .click();
  await page.getByRole('link', { name: 'History of reception-1' }).click();
  await page.getByRole('heading', { name: 'reception-1', level: 1 }).waitFor();
  t.equal(await page.evaluate('document.activeElement.id'), 'main', 'a page of its own begins at its top');
  const history = page.locator('#history');
  const strip = history.getByRole('img', { name: /^Firewall: pass 50 d, fail 8 d, unknown 2 d, not known (29|30) d$/ });
  await strip.waitFor();
  t.equal(await strip.locator('rect').count(), 5);
  await history.getByRole('img', { name: /^Disk encryption: not applicable 3 d, not known 8[67] d/ }).waitFor();
  await history.getByRole('button', { name: /^Pass 50 d/ }).click();
  t.equal(await history.getByRole('table').getByRole('row').count(), 6);
  t.match(await history.getByRole('row').nth(1).innerText(), /Pass[\s\S]*10 d/, 'newest first');
  await page.locator('#tools').getByText('AnyDesk').waitFor();
  await look(t, page, 'agent');
  await history.getByRole('button', { name: '7 days' }).click();
  await history.getByRole('img', { name: 'Firewall: pass 7 d', exact: true }).waitFor();
  await box.send('telemetry', checkRow(agent.id, { status: 'fail', sinceMs: Date.now() }));
  await history.getByRole('img', { name: /^Firewall: pass 7 d.*, fail|^Firewall: pass 6 d.*, fail/ }).waitFor();

  await page.getByRole('button', { name: 'Run check' }).click();
  await page.getByRole('region', { name: 'Run check' }).getByText('0 of 1 order ended, 1 on the way').waitFor();
  const [order] = await box.fetchOrders();
  await box.receipt(order!, 'done');
  await page.getByRole('region', { name: 'Run check' }).getByText('1 of 1 order ended').waitFor();
  await page.goto(`${stage!.relay.url}/sites/${siteId}/agents/agt_${'a'.repeat(26)}`);
  await page.getByText('This site has no such workstation').waitFor();
});
