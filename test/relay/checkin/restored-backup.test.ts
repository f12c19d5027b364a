import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckinRequest } from '@sitewarden/agent-proto/http';
import { Registry } from 'prom-client';
import t from 'tap';
import { createBoxDirectory } from '../../../relay/accounts/index.ts';
import { initKeys, loadKeyring } from '../../../relay/keys/index.ts';
import { createLiveBus } from '../../../relay/live/index.ts';
import { createSightingBook } from '../../../relay/quarantine/index.ts';
import { checkinService } from '../../../relay/routes/checkin.ts';
import type { Services } from '../../../relay/routes/context.ts';
import { openStore } from '../../../relay/store/index.ts';
import { updateSite } from '../../../relay/store/repositories/sites.ts';
import { seedPartner, seedSite, testClock } from '../../helpers/relay.ts';
import { checkinBody, type SimBox, seedBox } from '../../helpers/sim-box.ts';

/** What the relay does with check-ins, from its own files, like after a start. */
async function startOn(dataDir: string, file: string) {
  const store = await openStore({ kind: 'sqlite', file });
  const keys = await loadKeyring({ dataDir, host: 'relay.test' });
  const service = checkinService({
    store,
    keys,
    clock: testClock(),
    live: createLiveBus(),
    metrics: new Registry(),
    boxes: createBoxDirectory(store),
    sightings: createSightingBook(store),
  } as unknown as Services);
  const send = (sim: SimBox, counter: number, previousToken: string | null, over: Partial<CheckinRequest> = {}) => {
    const body = checkinBody({ counter, previousToken, ...over });
    return service.checkin(sim.box, body, Buffer.from(JSON.stringify(body)));
  };
  const actions = (partnerId: string) =>
    store.inTenant(partnerId, async (trx) =>
      (await trx.selectFrom('audit_event').select('action').orderBy('id').execute()).map(({ action }) => action),
    );
  return { store, send, actions };
}

t.test('a database put back from a backup takes no box for a clone', async (t) => {
  const dataDir = t.testdir();
  const file = join(dataDir, 'relay.db');
  const backup = join(dataDir, 'backup.db');
  await initKeys({ dataDir, host: 'relay.test', nowMs: 1 });
  const before = await startOn(dataDir, file);
  const partnerId = await seedPartner(before.store);
  const { siteId } = await seedSite(before.store, partnerId);
  const sim = await seedBox(before.store, { partnerId, siteId });
  const setTier = (on: typeof before, agentTier: 0 | 1 | 2) =>
    on.store.inTenant(partnerId, (trx) => updateSite(trx, siteId, { agentTier }));
  let { token } = await before.send(sim, 1, null);
  ({ token } = await before.send(sim, 2, token));
  await before.store.close();
  await copyDatabase(file, backup);

  const meanwhile = await startOn(dataDir, file);
  for (const counter of [3, 4, 5]) ({ token } = await meanwhile.send(sim, counter, token));
  await setTier(meanwhile, 2);
  await meanwhile.store.close();
  await copyDatabase(backup, file);

  const after = await startOn(dataDir, file);
  t.teardown(() => after.store.close());
  await setTier(after, 0);
  const next = await after.send(sim, 6, token, { configGeneration: 2 });
  t.equal(next.state, 'active');
  t.equal(next.configGeneration, 3, 'generation 2 was given out for other settings: the same number is not enough');
  const again = await after.send(sim, 7, next.token);
  t.equal(again.state, 'active');
  const told = ['partner.created', 'checkin.state_restored', 'site.config_reissued'];
  t.same(await after.actions(partnerId), told, 'written down once');
  t.equal(
    (await after.send(sim, 7, next.token, { devices: 9 })).state,
    'quarantined',
    'a token used twice is still a clone',
  );
  t.same(await after.actions(partnerId), [...told, 'appliance.quarantined']);
});

/** The whole file set of a closed database. */
async function copyDatabase(from: string, to: string): Promise<void> {
  for (const suffix of ['-wal', '-shm']) await rm(`${to}${suffix}`, { force: true });
  await copyFile(from, to);
}

t.test('the secret of the tokens is made once, for the relay alone, also where keys were made before it', async (t) => {
  const dataDir = t.testdir();
  await initKeys({ dataDir, host: 'relay.test', nowMs: 1 });
  const file = join(dataDir, 'keys', 'checkin-token.secret');
  t.equal((await stat(file)).mode & 0o777, 0o600);
  const made = await readFile(file, 'latin1');
  await loadKeyring({ dataDir, host: 'relay.test' });
  t.equal(await readFile(file, 'latin1'), made);
  await rm(file);
  const both = await Promise.all([0, 1].map(() => loadKeyring({ dataDir, host: 'relay.test' })));
  const macs = both.map(({ tokenMac }) => tokenMac(Buffer.from('x')).toString('hex'));
  t.equal(macs[0], macs[1], 'two that start together agree');
  t.not(await readFile(file, 'latin1'), made);
  t.equal((await stat(file)).mode & 0o777, 0o600);
  await writeFile(file, 'short');
  await t.rejects(loadKeyring({ dataDir, host: 'relay.test' }), { code: 'KEYS_INVALID', message: /checkin-token/ });
});
