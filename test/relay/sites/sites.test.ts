import { newId } from '@sitewarden/kit/ids';
import t from 'tap';
import type { Tenant } from '../../../relay/lib/identity.ts';
import * as view from '../../../relay/routes/contract/views.ts';
import { validatorOf } from '../../../relay/routes/input.ts';
import {
  changeSite,
  createSite,
  listSiteAgents,
  listSiteDevices,
  listSiteIncidents,
  listSites,
  readSiteDetail,
  readTimeline,
} from '../../../relay/sites/index.ts';
import type { Store } from '../../../relay/store/index.ts';
import { type IngestRig, ingestRig } from '../../helpers/ingest-rig.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';
import { checkinBody, seedBox } from '../../helpers/sim-box.ts';
import { outboxBody } from '../../helpers/sim-log.ts';
import { actionRunRow, agentRow, checkRow, deviceRow, incidentRow } from '../../helpers/sim-rows.ts';

const tenantOf = (partnerId: string): Tenant => ({
  partnerId,
  staffId: newId('stf'),
  role: 'admin',
  actor: 'Ada',
  sessionHash: 'x',
  expiresAtMs: 0,
});

/** The box was heard `ageMs` ago; its check-in is written as the check-in service writes it. */
async function hear(store: Store, box: { applianceId: string; partnerId: string; siteId: string }, atMs: number) {
  const body = checkinBody({ lanes: { ...checkinBody().lanes, telemetry: { depth: 3, oldestAgeMs: 40 } } });
  await store.inTenant(box.partnerId, (trx) =>
    trx
      .insertInto('appliance_live')
      .values({
        appliance_id: box.applianceId,
        partner_id: box.partnerId,
        site_id: box.siteId,
        last_checkin_at_ms: atMs,
        counter: 1,
        token: 't',
        previous_token: null,
        previous_body_hash: null,
        boot_id: 'b',
        clock_offset_ms: 0,
        body: JSON.stringify(body),
        online_since_ms: atMs,
        queue_depth: 3,
        queue_oldest_ms: 40,
      })
      .execute(),
  );
}

const fits = (schema: Parameters<typeof validatorOf>[0], value: unknown) => {
  const result = validatorOf(schema)(value);
  return result.ok ? 'fits' : `${result.field} ${result.detail}`;
};

/** One site of each health, besides the rig's own silent one. */
async function fleetRig(store: Store): Promise<IngestRig & { ids: Record<string, string> }> {
  const rig = await ingestRig(store);
  const nowMs = rig.clock.nowMs();
  const ids: Record<string, string> = { silent: rig.siteId };
  for (const [name, ageMs] of [
    ['fine', 1000],
    ['stale', 400_000],
    ['offline', 4_000_000],
    ['troubled', 2000],
  ] as const) {
    const { siteId } = await seedSite(store, rig.partnerId, `${name} 100%_x`);
    const sim = await seedBox(store, { partnerId: rig.partnerId, siteId });
    await hear(store, sim.box, nowMs - ageMs);
    ids[name] = siteId;
    if (name === 'troubled') {
      const rows = [incidentRow({ severity: 'critical' }), incidentRow({ severity: 'low', state: 'needs_person' })];
      await rig.service.ingest(sim.box, outboxBody({ lane: 'incidents', firstSeq: 1, rows }));
    }
  }
  ids.empty = (await seedSite(store, rig.partnerId, 'empty')).siteId;
  return { ...rig, ids };
}

t.test('sites on both engines', async (t) => {
  await onBothEngines(t, {
    'what is not fine comes first, each with reason, age and next step': async (t, store) => {
      const rig = await fleetRig(store);
      const list = await rig.within((trx) => listSites(trx, { nowMs: rig.clock.nowMs() }));
      t.equal(fits(view.SiteList, list), 'fits');
      t.same(
        list.sites.map(({ id }) => Object.entries(rig.ids).find(([, known]) => known === id)?.[0]),
        ['offline', 'troubled', 'stale', 'silent', 'empty', 'fine'],
      );
      t.same(list.totals, { problem: 2, warning: 1, unknown: 2, ok: 1, all: 6 });
      const of = (name: string) => list.sites.find(({ id }) => id === rig.ids[name]);
      t.match(of('offline'), { status: { value: 'offline', ageMs: 4_000_000 }, nextStep: /Call the site/ });
      t.match(of('stale'), { status: { value: 'stale', reason: 'stale: last check-in 6 min ago' } });
      t.match(of('troubled'), { incidents: { critical: 1, low: 1 }, reason: /1 incident needs a person/ });
      t.match(of('empty'), { applianceId: null, status: { value: 'pending' }, nextStep: /provisioning code/ });
      t.match(of('fine'), { health: 'ok', queue: { depth: 3, oldestAgeMs: 40 }, evidence: { mark: 'none' } });
    },

    'pages, filters and search give the same rows and totals': async (t, store) => {
      const rig = await fleetRig(store);
      const nowMs = rig.clock.nowMs();
      const whole = await rig.within((trx) => listSites(trx, { nowMs }));
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages < 10; pages += 1) {
        const page = await rig.within((trx) => listSites(trx, { nowMs, limit: 2, cursor }));
        t.same(page.totals, whole.totals);
        seen.push(...page.sites.map(({ id }) => id));
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
      }
      t.same(
        seen,
        whole.sites.map(({ id }) => id),
        'every site once, in the same order',
      );
      const problems = await rig.within((trx) => listSites(trx, { nowMs, health: 'problem' }));
      t.equal(problems.sites.length, problems.totals.problem);
      t.equal(problems.totals.all, 6, 'a filter leaves the totals, which lead to the others');
      const search = async (text: string) =>
        (await rig.within((trx) => listSites(trx, { nowMs, search: text }))).sites.length;
      t.equal(await search('STALE'), 1);
      t.equal(await search('100%_'), 4, 'signs of a pattern are only letters');
      t.equal(await search('100x'), 0);
      t.equal(await search('nowhere'), 0);
      t.equal(await search('  '), 6);
      await t.rejects(
        rig.within((trx) => listSites(trx, { nowMs, cursor: 'x' })),
        { code: 'QUERY_INVALID', field: '/cursor' },
      );
    },

    'a site says of itself what the list says': async (t, store) => {
      const rig = await fleetRig(store);
      const nowMs = rig.clock.nowMs();
      const list = await rig.within((trx) => listSites(trx, { nowMs }));
      for (const summary of list.sites) {
        const detail = await rig.within((trx) => readSiteDetail(trx, summary.id, nowMs));
        t.same(detail.summary, summary);
        t.equal(fits(view.SiteDetail, detail), 'fits');
      }
      const fine = await rig.within((trx) => readSiteDetail(trx, rig.ids.fine ?? '', nowMs));
      t.match(fine.appliance, {
        lanes: { telemetry: { depth: 3 } },
        versions: { appliance: '0.1.0' },
        state: 'active',
      });
      t.match(fine, { requiredServices: ['cron'], agentTier: 0 });
    },

    'agents, incidents, devices and the timeline of one site': async (t, store) => {
      const rig = await ingestRig(store);
      const nowMs = rig.clock.nowMs();
      await hear(store, rig.sim.box, nowMs - 1000);
      const agent = agentRow({ lastHeartbeatAtMs: nowMs - 2000 });
      const away = agentRow({ hostname: 'lab-2', connected: false, lastHeartbeatAtMs: nowMs - 2_000_000 });
      const removed = agentRow({ hostname: 'old', state: 'removed' });
      const telemetry = [
        agent,
        away,
        removed,
        checkRow({ agentId: agent.id, status: 'fail' }),
        checkRow({ agentId: removed.id, status: 'fail' }),
        checkRow(),
        deviceRow(),
      ];
      await rig.ingest(outboxBody({ lane: 'telemetry', firstSeq: 1, rows: telemetry }));
      rig.sim.log.append(3);
      await rig.ingest(rig.sim.log.batch());
      const incident = incidentRow({ evidenceSeq: 1, agentId: agent.id });
      const resolved = incidentRow({ state: 'resolved', resolvedAtMs: nowMs, evidenceSeq: 2, openedAtMs: nowMs - 9 });
      const run = actionRunRow({ incidentId: incident.id, evidenceSeq: 2 });
      await rig.ingest(outboxBody({ lane: 'incidents', firstSeq: 1, rows: [incident, resolved, run] }));
      await rig.within((trx) => trx.updateTable('evidence_log').set({ cosigned_size: 2, cosigned_at_ms: 1 }).execute());

      const agents = await rig.within((trx) => listSiteAgents(trx, rig.siteId, nowMs));
      t.equal(fits(view.AgentList, agents), 'fits');
      t.same(
        agents.agents.map(({ hostname, status, checks }) => [hostname, status.value, checks.length]),
        [
          ['front-1', 'online', 1],
          ['lab-2', 'offline', 0],
        ],
      );
      const { summary } = await rig.within((trx) => readSiteDetail(trx, rig.siteId, nowMs));
      t.same(summary.agents, { total: 2, ok: 0, failing: 1, away: 1 }, 'a removed agent counts nowhere');

      const open = await rig.within((trx) => listSiteIncidents(trx, rig.siteId, { nowMs }));
      t.equal(fits(view.IncidentList, open), 'fits');
      t.match(open.incidents, [{ id: incident.id, cosigned: true, actions: [{ id: run.id, cosigned: false }] }]);
      const every = await rig.within((trx) => listSiteIncidents(trx, rig.siteId, { state: 'all', nowMs }));
      t.equal(every.incidents.length, 2);

      const devices = await rig.within((trx) => listSiteDevices(trx, rig.siteId, nowMs));
      t.equal(fits(view.DeviceList, devices), 'fits');
      t.equal(devices.devices.length, 1);

      const timeline = await rig.within((trx) => readTimeline(trx, rig.siteId, nowMs));
      t.equal(fits(view.Timeline, timeline), 'fits');
      const times = timeline.items.map(({ atMs }) => atMs);
      t.same(
        times,
        [...times].sort((a, b) => b - a),
      );
      t.same([...new Set(timeline.items.map(({ kind }) => kind))].sort(), ['claim', 'incident', 'repair']);
      const told = timeline.items.filter(({ ref }) => ref === resolved.id).map(({ text }) => text);
      t.same(
        told,
        [`${resolved.title}: resolved.`, `${resolved.title}: opened.`],
        'no later reason stands at the start',
      );
      const sizes = async (received: number, cosigned: number) => {
        const values = { received_size: received, cosigned_size: cosigned };
        await rig.within((trx) => trx.updateTable('evidence_log').set(values).execute());
        const { items } = await rig.within((trx) => readTimeline(trx, rig.siteId, nowMs));
        return items.find(({ kind }) => kind === 'claim')?.entry;
      };
      t.same(await sizes(0, 0), null, 'no entry has come yet');
      t.same(await sizes(1, 0), { seq: 0, cosigned: false });
      t.same(await sizes(1, 1), { seq: 0, cosigned: true });
    },

    'settings raise the generation, names are taken once': async (t, store) => {
      const rig = await ingestRig(store);
      const tenant = tenantOf(rig.partnerId);
      const nowMs = rig.clock.nowMs();
      const { clientId } = await seedSite(store, rig.partnerId, 'first');
      const make = (name: string, over = {}) =>
        rig.within((trx) => createSite(trx, { tenant, wish: { clientId, name, ...over }, nowMs }));
      const made = await make('second', { agentTier: 1, requiredServices: ['cron', 'cron'] });
      t.match(made, { name: 'second', clientId });
      await t.rejects(make('second'), { code: 'NAME_TAKEN' });
      await t.rejects(make('third', { clientId: newId('cli') }), { code: 'NOT_FOUND', field: '/clientId' });
      const change = (settings: object) =>
        rig.within((trx) => changeSite(trx, { tenant, siteId: made.id, settings, nowMs }));
      await t.rejects(change({ name: 'first' }), { code: 'NAME_TAKEN' });
      await change({ name: 'second', agentTier: 2, requiredServices: ['ssh', 'ssh'] });
      const row = await rig.within((trx) =>
        trx.selectFrom('site').selectAll().where('id', '=', made.id).executeTakeFirstOrThrow(),
      );
      t.match(row, { config_generation: 2, agent_tier: 2, required_services: '["ssh"]' });
      const timeline = await rig.within((trx) => readTimeline(trx, made.id, nowMs));
      t.match(timeline.items, [{ kind: 'config', actor: 'Ada', text: /agentTier = 2/ }, { text: /was created/ }]);
    },

    'a site of another tenant does not exist': async (t, store) => {
      const rig = await fleetRig(store);
      const stranger = await seedPartner(store, 'Stranger');
      const nowMs = rig.clock.nowMs();
      const siteId = rig.ids.fine ?? '';
      const tenant = tenantOf(stranger);
      await store.inTenant(stranger, async (trx) => {
        t.same((await listSites(trx, { nowMs })).totals.all, 0);
      });
      for (const read of [
        readSiteDetail,
        listSiteAgents,
        listSiteDevices,
        readTimeline,
        (trx: Parameters<typeof readSiteDetail>[0]) => listSiteIncidents(trx, siteId, { nowMs }),
        (trx: Parameters<typeof readSiteDetail>[0]) =>
          changeSite(trx, { tenant, siteId, settings: { agentTier: 2 }, nowMs }),
      ] as (typeof readSiteDetail)[]) {
        await t.rejects(
          store.inTenant(stranger, (trx) => read(trx, siteId, nowMs)),
          { code: 'NOT_FOUND' },
        );
      }
    },
  });
});
