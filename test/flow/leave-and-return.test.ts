import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOX_PATHS, type CustodyReceipt } from '@sitewarden/agent-proto/http';
import t from 'tap';
import { runProgram } from '../../scripts/lib/programs.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { claimBox } from '../../scripts/start/site.ts';
import { enroll, openSession } from '../helpers/agent-client.ts';
import { type System, startSystem } from '../helpers/system.ts';

interface Site {
  appliance: { id: string; serial: string; epoch: number; lastCheckinAtMs: number | null } | null;
}
interface Custody {
  release: { id: string; state: string } | null;
  receipts: CustodyReceipt[];
}
interface Local {
  claim: { phase: string; number: string | null; left: { siteName: string; reason: string } | null };
  headline: { title: string; remarks?: { title: string; text: string }[] };
  agents: { total: number };
}

const site = (system: System) => system.staff.call<Site>('GET', `/api/sites/${system.siteId}`);
const custody = (system: System) => system.staff.call<Custody>('GET', `/api/sites/${system.siteId}/custody`);
const local = async (system: System) =>
  (await (await fetch(new URL('/api/local/status', system.appliance.localUrl))).json()) as Local;
const release = async (system: System, reason: string) => {
  const { appliance } = await site(system);
  await system.staff.call('POST', `/api/sites/${system.siteId}/release`, { applianceId: appliance?.id, reason });
};
/** What the box says to a person who wants it to change its device key. */
const rotate = (system: System) =>
  runProgram('appliance', ['keys', 'rotate', 'dik', '--config', system.appliance.configFile]).catch(
    (error: Error) => error.message,
  );
const checkedIn = (system: System, epoch: number) =>
  waitFor('a check-in', async () => {
    const { appliance } = await site(system);
    return appliance?.epoch === epoch && appliance.lastCheckinAtMs !== null;
  });

t.test('a released box closes its log, tells its agents, forgets the site and is claimed anew', async (t) => {
  const system = await startSystem();
  t.teardown(system.close);
  await checkedIn(system, 1);
  const agent = await enroll(await system.appliance.makeToken());
  const session = await openSession(system.appliance.intakeAddress, agent);
  const ended = new Promise<void>((resolve) => {
    session.stream.on('error', () => resolve());
    session.stream.on('end', () => resolve());
  });
  const dataDir = join(system.base, 'appliance');
  const caBefore = readFileSync(join(dataDir, 'identity', 'site-ca.pem'), 'utf8');
  const keyIn = (name: string) => readFileSync(join(dataDir, 'identity', name), 'utf8');
  const dikBefore = keyIn('dik.pem');
  const ownersKeys = ['evk.pem', 'seal.key'].map((name) => ({ name, before: keyIn(name) }));
  const first = (await site(system)).appliance?.id;

  // The relay takes the word of the box, and the box never hears of it.
  let isLost = false;
  system.proxy.decide = (path) => {
    if (path !== BOX_PATHS.released || isLost) return 'pass';
    isLost = true;
    return 'lose-answer';
  };
  await release(system, 'the clinic moves');
  await ended;
  const free = await waitFor(
    'the box to be free',
    async () => {
      const now = await local(system);
      return now.claim.phase === 'showing' && now.claim.left !== null && now;
    },
    60_000,
  );
  t.ok(isLost);
  t.match(free.claim.left, { siteName: 'Main street', reason: 'the clinic moves' });
  t.match(JSON.stringify(free.headline), /released from Main street/);
  t.equal(free.agents.total, 0);
  t.match(await site(system), { appliance: null });
  const { receipts } = await custody(system);
  t.match(receipts, [{ kind: 'released', reason: 'the clinic moves', released: /signatures/ }]);
  t.ok((receipts[0]?.log.size ?? 0) >= 4, 'claim, configuration, agent in and out, and the end');

  t.equal(keyIn('dik.pem'), dikBefore, 'it is the same box');
  for (const { name, before } of ownersKeys) t.not(keyIn(name), before, `${name}: nobody before had it`);
  t.not(readFileSync(join(dataDir, 'identity', 'site-ca.pem'), 'utf8'), caBefore, 'nobody at the site trusts it now');
  const kept = readdirSync(dataDir).filter(
    (name) => /site\.json$|uplink\.json/.test(name) && name !== 'left-site.json',
  );
  t.same(kept, [], 'nothing tells of the site');

  await claimBox(system.staff, system.siteId, system.appliance.localUrl);
  await checkedIn(system, 1);
  t.not((await site(system)).appliance?.id, first, 'another appliance, with a log of its own');
});

t.test('a box that was away is told of its release when it is back, and goes on leaving after a kill', async (t) => {
  const system = await startSystem();
  t.teardown(system.close);
  await checkedIn(system, 1);
  system.appliance.kill('SIGKILL');
  await system.appliance.exited;
  await release(system, 'sold');
  t.match((await custody(system)).release, { state: 'ordered' });
  system.proxy.decide = (path) => (path === BOX_PATHS.released ? 'refuse' : 'pass');
  await system.startAppliance();
  await waitFor(
    'the release to be fetched',
    async () => (await custody(system)).release?.state === 'delivered',
    60_000,
  );
  await waitFor('the box to know it', async () => /leaving its site/.test(await rotate(system)));
  system.appliance.kill('SIGKILL');
  await system.appliance.exited;
  system.proxy.decide = () => 'pass';
  await system.startAppliance();
  await waitFor('the box to leave', async () => (await site(system)).appliance === null, 60_000);
  await waitFor('the box to be free', async () => (await local(system)).claim.phase === 'showing', 60_000);
  t.notOk(existsSync(join(system.base, 'appliance', 'uplink.json')));
});

t.test('a box that was reset asks for its place and has it back within a minute of the approval', async (t) => {
  const system = await startSystem();
  t.teardown(system.close);
  await checkedIn(system, 1);
  const before = (await site(system)).appliance;
  await system.appliance.stop();
  await runProgram('appliance', ['reset', '--yes', '--config', system.appliance.configFile]);
  await system.startAppliance();
  const asking = await waitFor('the box to ask', async () => {
    const { rearms } = await system.staff.call<{
      rearms: { session: string; serial: string; applianceId: string }[];
    }>('GET', `/api/provision/rearms?siteId=${system.siteId}`);
    return rearms[0];
  });
  t.equal(asking.serial, before?.serial);
  const { number } = (await local(system)).claim;
  await system.staff.call('POST', `/api/provision/rearms/${asking.session}`, {
    applianceId: asking.applianceId,
    number,
  });
  const approvedMs = performance.now();
  await checkedIn(system, 2);
  const backMs = performance.now() - approvedMs;
  t.ok(backMs < 60_000, `back after ${Math.round(backMs)} ms`);
  t.equal((await site(system)).appliance?.id, before?.id);
  const entry = await waitFor('the first entry', async () => {
    const path = `/api/sites/${system.siteId}/evidence`;
    const { entries } = await system.staff.call<{ entries: { seq: number; kind: string }[] }>('GET', path);
    return entries.find(({ seq }) => seq === 0);
  });
  t.equal(entry.kind, 'claim');
  const proof = await waitFor('it to be cosigned', () =>
    system.staff.call<{ envelope: string }>('GET', `/api/sites/${system.siteId}/evidence/0`),
  );
  const { payload } = JSON.parse(proof.envelope) as { payload: string };
  const said = Buffer.from(payload, 'base64').toString();
  t.match(said, /"previous_epoch":1/, 'the new log names where the old one ends');
});

t.test('a box that was removed says so on its page and to its doctor', async (t) => {
  const system = await startSystem();
  t.teardown(system.close);
  await checkedIn(system, 1);
  const { appliance } = await site(system);
  await system.staff.call('POST', `/api/sites/${system.siteId}/appliance/remove`, {
    applianceId: appliance?.id,
    reason: 'stolen',
  });
  await waitFor('the page to say it', async () =>
    /lost or broken/.test(JSON.stringify((await local(system)).headline)),
  );
  const told = await runProgram('appliance', ['doctor', '--config', system.appliance.configFile]).catch(
    (error: Error) => error.message,
  );
  t.match(told, /FAILED {2}site .*APPLIANCE_REMOVED.*lost or broken/);
});
