import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyReceipt } from '@sitewarden/agent-proto/custody';
import { BOX_PATHS, type CustodyBundle, type CustodyReceipt } from '@sitewarden/agent-proto/http';
import t from 'tap';
import { runProgram } from '../../scripts/lib/programs.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { claimBox } from '../../scripts/start/site.ts';
import { enroll, openSession } from '../helpers/agent-client.ts';
import { rootPublicKeyOf } from '../helpers/root-key.ts';
import { type System, startSystem } from '../helpers/system.ts';

interface Site {
  appliance: { id: string; serial: string; epoch: number; lastCheckinAtMs: number | null } | null;
}
interface Custody {
  release: { id: string; state: string } | null;
  receipts: CustodyReceipt[];
}
const siteAt = (system: System, id: string) => system.staff.call<Site>('GET', `/api/sites/${id}`);
const custodyAt = (system: System, id: string) => system.staff.call<Custody>('GET', `/api/sites/${id}/custody`);
const checkedIn = (system: System, id: string) =>
  waitFor(
    'a check-in',
    async () => {
      const { appliance } = await siteAt(system, id);
      return (appliance?.lastCheckinAtMs ?? null) !== null && appliance;
    },
    60_000,
  );

async function secondSite(system: System): Promise<string> {
  const { clients } = await system.staff.call<{ clients: { id: string }[] }>('GET', '/api/clients');
  const site = await system.staff.call<{ id: string }>('POST', '/api/sites', {
    clientId: clients[0]?.id,
    name: 'Hill road',
    agentTier: 1,
    requiredServices: [],
    checkIntervalMs: 2000,
  });
  return site.id;
}

t.test('staff move a box to another site, and nobody has to go there, whatever is lost on the way', async (t) => {
  const system = await startSystem({ withoutSerial: true });
  t.teardown(system.close);
  const before = await checkedIn(system, system.siteId);
  // Both keys change first: the receipts and the name of the box are to hold all the same.
  for (const key of ['dik', 'evk']) {
    await waitFor(`a new ${key}`, () =>
      runProgram('appliance', ['keys', 'rotate', key, '--config', system.appliance.configFile]),
    );
  }
  const toSiteId = await secondSite(system);
  const agent = await enroll(await system.appliance.makeToken());
  const session = await openSession(system.appliance.intakeAddress, agent);
  const ended = new Promise<void>((resolve) => {
    session.stream.on('error', () => resolve());
    session.stream.on('end', () => resolve());
  });
  const identity = join(system.base, 'appliance', 'identity');
  const caBefore = readFileSync(join(identity, 'site-ca.pem'), 'utf8');

  // The relay takes the word of the box, and the box never hears of it; the box is killed before it has its new place.
  let isLost = false;
  system.proxy.decide = (path) => {
    if (path === BOX_PATHS.provisionStatus) return 'refuse';
    if (path !== BOX_PATHS.released || isLost) return 'pass';
    isLost = true;
    return 'lose-answer';
  };
  await system.staff.call('POST', `/api/sites/${system.siteId}/transfer`, {
    applianceId: before.id,
    reason: 'the clinic moves',
    toSiteId,
  });
  await ended;
  await waitFor('the box to leave', async () => (await siteAt(system, system.siteId)).appliance === null, 60_000);
  t.ok(isLost);
  await waitFor('the page to say it', async () => {
    const page = await fetch(new URL('/api/local/status', system.appliance.localUrl));
    return /moves from Main street to Hill road/.test(await page.text());
  });
  system.appliance.kill('SIGKILL');
  await system.appliance.exited;
  system.proxy.decide = () => 'pass';
  await system.startAppliance();

  const now = await checkedIn(system, toSiteId);
  t.equal(now.epoch, 2, 'its next epoch');
  t.equal(now.serial, before.serial, 'people know it by its number');
  t.not(readFileSync(join(identity, 'site-ca.pem'), 'utf8'), caBefore, 'nobody of the old site is trusted');
  t.equal((await custodyAt(system, system.siteId)).release, null);

  const [given] = (await custodyAt(system, system.siteId)).receipts;
  const [taken] = (await custodyAt(system, toSiteId)).receipts;
  t.match(given, { kind: 'released', counterpart: { siteName: 'Hill road' } });
  t.match(taken, { kind: 'received', counterpart: { siteName: 'Main street' }, previous: { size: given?.log.size } });
  const rootKey = await rootPublicKeyOf(join(system.base, 'relay'));
  for (const one of [given, taken]) {
    const { bundle } = await system.staff.call<{ bundle: CustodyBundle }>('GET', `/api/receipts/${one?.receiptId}`);
    t.match(verifyReceipt(bundle, rootKey), { ok: true });
    t.equal(bundle.proof?.entries.length, one === given ? 3 : 0, 'the claim, the change of the key and the end');
  }
  const proof = await waitFor(
    'the first entry to be cosigned',
    () => system.staff.call<{ envelope: string }>('GET', `/api/sites/${toSiteId}/evidence/0`),
    60_000,
  );
  const { payload } = JSON.parse(proof.envelope) as { payload: string };
  const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
    predicate: { after: { facts: Record<string, unknown> } };
  };
  t.match(predicate.after.facts, {
    previous_origin: given?.log.origin,
    previous_epoch: 1,
    previous_size: given?.log.size,
    previous_root: given?.log.rootHash,
  });
});

t.test(
  'a box whose move was cancelled makes its keys for evidence and secrets anew before it can be claimed',
  async (t) => {
    const system = await startSystem();
    t.teardown(system.close);
    const { id: applianceId } = await checkedIn(system, system.siteId);
    const toSiteId = await secondSite(system);
    const identity = join(system.base, 'appliance', 'identity');
    const keyIn = (name: string) => readFileSync(join(identity, name), 'utf8');
    const before = { dik: keyIn('dik.pem'), evk: keyIn('evk.pem'), seal: keyIn('seal.key') };
    system.proxy.decide = (path) => (path === BOX_PATHS.provisionStatus ? 'refuse' : 'pass');
    const body = { applianceId, reason: 'the clinic moves', toSiteId };
    await system.staff.call('POST', `/api/sites/${system.siteId}/transfer`, body);
    await waitFor('the box to leave', async () => (await siteAt(system, system.siteId)).appliance === null, 60_000);
    const { arriving } = await system.staff.call<{ arriving: { dikFingerprint: string }[] }>(
      'GET',
      `/api/sites/${toSiteId}/custody`,
    );
    const status = async () =>
      (await (await fetch(new URL('/api/local/status', system.appliance.localUrl))).json()) as {
        claim: { phase: string; left: { movesTo: string | null } | null };
      };
    await waitFor('the box to ask', async () => (await status()).claim.left?.movesTo === 'Hill road', 60_000);
    t.equal(keyIn('seal.key'), before.seal, 'on its way it keeps them');
    const dikFingerprint = arriving[0]?.dikFingerprint;
    await system.staff.call('POST', `/api/sites/${toSiteId}/arriving/cancel`, { dikFingerprint });
    system.proxy.decide = () => 'pass';
    const free = await waitFor(
      'the box to be free',
      async () => {
        const { claim } = await status();
        return claim.phase === 'showing' && claim.left?.movesTo === null && claim;
      },
      60_000,
    );
    t.match(free.left, { siteName: 'Main street', movesTo: null });
    t.equal(keyIn('dik.pem'), before.dik, 'it is the same box');
    t.not(keyIn('evk.pem'), before.evk);
    t.not(keyIn('seal.key'), before.seal);
    await claimBox(system.staff, system.siteId, system.appliance.localUrl);
    await checkedIn(system, system.siteId);
  },
);
