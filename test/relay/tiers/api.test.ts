import { BOX_PATHS, type SiteConfig } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import t, { type Test } from 'tap';
import { verifyAudit } from '../../../relay/audit/index.ts';
import { ownPayload } from '../../../relay/keys/index.ts';
import { upsertAgents } from '../../../relay/store/repositories/agents.ts';
import { onBothRelays, type Start } from '../../helpers/both-relays.ts';
import { seedPartner, seedSite } from '../../helpers/relay.ts';
import { agentRow } from '../../helpers/sim-rows.ts';

interface Row {
  id: string;
  tier: number;
  wantedTier: number;
  tierFrom: string;
  groupId: string | null;
}
interface Group {
  id: string;
  name: string;
  tier: number | null;
  agentIds: string[];
}
type Groups = { groups: Group[]; code?: string; field?: string };

async function world(_t: Test, start: Start, count = 3) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const { box, applianceId } = await relay.claim(admin, siteId);
  const owner = { applianceId, partnerId, siteId, receivedAtMs: 1 };
  const store = (rows: ReturnType<typeof agentRow>[]) =>
    relay.store.inTenant(partnerId, (trx) => upsertAgents(trx, owner, rows));
  const rows = Array.from({ length: count }, (_, n) => agentRow({ hostname: `pc-${String(n).padStart(4, '0')}` }));
  await store(rows);
  const ids = rows.map(({ id }) => id);
  const set = (agentId: string, tier: unknown, who = admin) =>
    who.call<Row & { code?: string }>('setAgentTier', { params: { siteId, agentId }, body: { tier } });
  const many = (agentIds: unknown, tier: unknown, who = admin) =>
    who.call<{ agents: Row[]; code?: string; field?: string }>('setAgentTiers', {
      params: { siteId },
      body: { agentIds, tier },
    });
  const make = (body: unknown, who = admin) => who.call<Groups>('createGroup', { params: { siteId }, body });
  const change = (groupId: string, body: unknown, who = admin) =>
    who.call<Groups>('changeGroup', { params: { siteId, groupId }, body });
  const agents = async () =>
    (await admin.call<{ agents: Row[] }>('agents', { params: { siteId } })).body.agents.map(
      ({ id, wantedTier, tierFrom, groupId }) => [ids.indexOf(id), wantedTier, tierFrom, groupId],
    );
  const config = async () => ownPayload<SiteConfig>((await box.send<{ config: string }>(BOX_PATHS.config)).body.config);
  const audits = () =>
    relay.store.inTenant(partnerId, async (trx) =>
      (await trx.selectFrom('audit_event').select(['action', 'actor', 'detail']).orderBy('id').execute()).filter(
        ({ action }) => action.startsWith('agent'),
      ),
    );
  return { relay, partnerId, siteId, admin, box, rows, ids, store, set, many, make, change, agents, config, audits };
}

await onBothRelays(t, {
  'the tier of one agent goes to its box, and null gives it back to the site': async (t, start) => {
    const { ids, admin, siteId, set, agents, config, audits } = await world(t, start);
    const { generation, agentTiers } = await config();
    t.strictSame(agentTiers, {});
    const [first = ''] = ids;
    t.match(await set(first, 2), {
      status: 200,
      body: { agentId: first, wantedTier: 2, tierFrom: 'agent', groupId: null },
    });
    const given = await config();
    t.strictSame(given.agentTiers, { [first]: 2 });
    t.equal(given.generation, generation + 1);
    await set(first, 2);
    t.equal((await config()).generation, given.generation, 'nothing new for the box');
    t.strictSame(await agents(), [
      [0, 2, 'agent', null],
      [1, 0, 'site', null],
      [2, 0, 'site', null],
    ]);
    await admin.call('changeSite', { params: { siteId }, body: { agentTier: 2 } });
    t.strictSame((await config()).agentTiers, {}, 'as its site now, and said only once');
    await admin.call('changeSite', { params: { siteId }, body: { agentTier: 1 } });
    t.strictSame((await config()).agentTiers, { [first]: 2 });
    t.match(await set(first, null), { body: { wantedTier: 1, tierFrom: 'site' } });
    t.strictSame((await config()).agentTiers, {});
    const told = await audits();
    t.strictSame(
      told.map(({ action, actor, detail }) => [action, actor, JSON.parse(detail).tier]),
      [
        ['agent.tier_set', 'Ada Moreno', 2],
        ['agent.tier_set', 'Ada Moreno', 2],
        ['agent.tier_set', 'Ada Moreno', null],
      ],
    );
  },

  'many agents are set at once, or none when one is not there': async (t, start) => {
    const { ids, relay, partnerId, many, config } = await world(t, start, 500);
    const { generation } = await config();
    const wrong = await many([...ids.slice(0, 3), newId('agt')], 1);
    t.match(wrong, { status: 404, body: { code: 'NOT_FOUND', field: '/agentIds/3' } });
    t.equal((await config()).generation, generation);
    const all = await many(ids, 1);
    t.equal(all.status, 200);
    t.strictSame(
      new Set(all.body.agents.map(({ wantedTier, tierFrom }) => `${wantedTier} ${tierFrom}`)),
      new Set(['1 agent']),
    );
    const given = await config();
    t.equal(Object.keys(given.agentTiers).length, 500);
    t.equal(given.generation, generation + 1, 'one configuration for all of them');
    for (const [body, field] of [
      [[], '/agentIds'],
      [[...ids, newId('agt')], '/agentIds'],
      [[ids[0], ids[0]], '/agentIds'],
    ] as const) {
      t.match(await many(body, 1), { status: 400, body: { code: 'BODY_INVALID', field } });
    }
    t.equal((await many(ids, 3)).status, 400);
    t.equal((await relay.store.inTenant(partnerId, (trx) => verifyAudit(trx, partnerId))).brokenAt, null);
  },

  'tiers share the room of one configuration with secrets and services, and what is too much is refused': async (
    t,
    start,
  ) => {
    const { ids, siteId, admin, many, config, make } = await world(t, start, 1200);
    const setSecret = (name: string) =>
      admin.call<{ code?: string }>('setSecret', { params: { siteId, name }, body: { value: 'x'.repeat(4000) } });
    for (const name of ['one', 'two', 'three']) t.equal((await setSecret(name)).status, 200);
    t.equal((await many(ids.slice(0, 500), 1)).status, 200, 'a site of 500 agents has room');
    t.equal((await many(ids.slice(500, 700), 1)).status, 200);
    const { generation } = await config();
    t.match(await many(ids.slice(700, 1200), 1), { status: 409, body: { code: 'SITE_CONFIG_FULL' } });
    const agentIds = ids.slice(700, 1200);
    t.match(await make({ name: 'More', tier: 2, agentIds }), { status: 409, body: { code: 'SITE_CONFIG_FULL' } });
    const services = Array.from({ length: 64 }, (_, n) => `s${n}`.padEnd(64, 'x'));
    const changed = await admin.call('changeSite', { params: { siteId }, body: { requiredServices: services } });
    t.match(changed, { status: 409, body: { code: 'SITE_CONFIG_FULL' } });
    t.match(await setSecret('four'), { status: 409, body: { code: 'SITE_CONFIG_FULL' } });
    const given = await config();
    t.equal(given.generation, generation, 'nothing of it was kept');
    t.equal(Object.keys(given.agentTiers).length, 700);
    t.equal((await many(ids.slice(0, 300), null)).status, 200);
    t.equal((await setSecret('four')).status, 200);
    t.equal((await config()).secrets?.length, 4);
  },

  'a group decides where the agent itself has no tier, and an agent is in one group': async (t, start) => {
    const { ids, siteId, admin, set, make, change, agents, config, audits } = await world(t, start);
    const [a = '', b = '', c = ''] = ids;
    const made = await make({ name: 'Reception', tier: 1, agentIds: [a, b] });
    t.equal(made.status, 201);
    const [reception] = made.body.groups;
    t.match(reception, { name: 'Reception', tier: 1, agentIds: [a, b].toSorted() });
    const one = reception?.id ?? '';
    t.strictSame((await config()).agentTiers, { [a]: 1, [b]: 1 });
    await set(a, 0);
    t.strictSame(await agents(), [
      [0, 0, 'agent', one],
      [1, 1, 'group', one],
      [2, 0, 'site', null],
    ]);
    const two = (await make({ name: 'Back office', tier: 2, agentIds: [b, c] })).body.groups[0]?.id ?? '';
    t.strictSame(await agents(), [
      [0, 0, 'agent', one],
      [1, 2, 'group', two],
      [2, 2, 'group', two],
    ]);
    t.match(await make({ name: 'Reception' }), { status: 409, body: { code: 'NAME_TAKEN', field: '/name' } });
    t.match(await change(two, { name: 'Reception' }), { status: 409, body: { code: 'NAME_TAKEN' } });
    const before = await config();
    t.match(await change(two, { name: 'Office' }), { status: 200, body: { groups: [{ name: 'Office' }, {}] } });
    t.equal((await config()).generation, before.generation, 'a name is nothing to the box');
    t.match(await change(two, { tier: null }), { body: { groups: [{ tier: null, agentIds: [b, c].toSorted() }, {}] } });
    t.strictSame((await config()).agentTiers, {});
    await change(two, { tier: 2, agentIds: [c] });
    t.strictSame((await config()).agentTiers, { [c]: 2 });
    t.equal((await admin.call('removeGroup', { params: { siteId, groupId: two } })).status, 200);
    t.strictSame((await config()).agentTiers, {});
    t.equal((await admin.call('removeGroup', { params: { siteId, groupId: two } })).status, 404);
    t.strictSame(await agents(), [
      [0, 0, 'agent', one],
      [1, 0, 'site', null],
      [2, 0, 'site', null],
    ]);
    t.strictSame(
      (await audits()).map(({ action }) => action),
      [
        'agent_group.created',
        'agent.tier_set',
        'agent_group.created',
        'agent_group.changed',
        'agent_group.changed',
        'agent_group.changed',
        'agent_group.removed',
      ],
    );
  },

  'an agent that was removed takes up no room and is in no group': async (t, start) => {
    const { ids, rows, admin, siteId, store, set, make, config } = await world(t, start);
    const [a = '', b = ''] = ids;
    await make({ name: 'Reception', tier: 1, agentIds: [a, b] });
    const [first] = rows;
    await store([agentRow({ ...first, state: 'removed' })]);
    t.strictSame((await config()).agentTiers, { [b]: 1 });
    t.match((await admin.call<Groups>('groups', { params: { siteId } })).body.groups, [{ agentIds: [b] }]);
    t.equal((await set(a, 2)).status, 404);
  },

  'only admins of the company set tiers, and nobody sees those of another one': async (t, start) => {
    const { relay, partnerId, siteId, ids, admin, set, many, make, change, config } = await world(t, start);
    const [a = ''] = ids;
    const group = (await make({ name: 'Reception', agentIds: [a] })).body.groups[0]?.id ?? '';
    const remove = (who: typeof admin) => who.call('removeGroup', { params: { siteId, groupId: group } });
    const { generation } = await config();
    for (const role of ['operator', 'readonly', 'technician'] as const) {
      const who = await relay.staff(partnerId, role);
      const answers = [
        await set(a, 1, who),
        await many([a], 1, who),
        await make({ name: 'Mine' }, who),
        await change(group, { tier: 1 }, who),
        await remove(who),
      ];
      for (const { status } of answers) t.equal(status, 403, role);
      t.equal((await who.call('groups', { params: { siteId } })).status, role === 'technician' ? 403 : 200);
    }
    const otherId = await seedPartner(relay.store, 'Other');
    const stranger = await relay.staff(otherId, 'admin');
    const answers = [
      await set(a, 1, stranger),
      await many([a], 1, stranger),
      await make({ name: 'Mine' }, stranger),
      await change(group, { tier: 1 }, stranger),
      await remove(stranger),
      await stranger.call('groups', { params: { siteId } }),
    ];
    for (const { status } of answers) t.equal(status, 404);
    const { siteId: elsewhere } = await seedSite(relay.store, partnerId, 'Second');
    const params = { siteId: elsewhere, groupId: group };
    t.equal((await admin.call('changeGroup', { params, body: { tier: 1 } })).status, 404, 'of another site');
    const foreign = { params: { siteId: elsewhere, agentId: a }, body: { tier: 1 } };
    t.equal((await admin.call('setAgentTier', foreign)).status, 404);
    t.equal((await config()).generation, generation);
  },
});
