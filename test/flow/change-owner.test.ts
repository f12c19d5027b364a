import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CustodyBundle, CustodyReceipt } from '@sitewarden/agent-proto/http';
import t, { type Test } from 'tap';
import { ENTRIES, runProgram, startProgram } from '../../scripts/lib/programs.ts';
import { initRelay, makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { type StaffClient, signIn } from '../../scripts/lib/staff-client.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { claimBox } from '../../scripts/start/site.ts';
import { startAppliance } from '../helpers/appliance.ts';
import { freePort } from '../helpers/free-port.ts';
import { rootPublicKeyOf } from '../helpers/root-key.ts';
import { startSystem } from '../helpers/system.ts';

interface Site {
  appliance: { id: string; lastCheckinAtMs: number | null } | null;
}
interface Local {
  claim: { phase: string; left: { siteName: string } | null };
}

/** A company of its own with a relay of its own, and a site without a box. */
async function otherCompany(t: Test) {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-owner-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  const config = join(base, 'relay.yaml');
  const url = `http://127.0.0.1:${await freePort()}`;
  writeFileSync(
    config,
    JSON.stringify({
      publicUrl: url,
      listen: { host: '127.0.0.1', port: Number(new URL(url).port) },
      dataDir: join(base, 'relay'),
    }),
  );
  const rootKey = await initRelay(config);
  const relay = await startProgram({
    name: 'other relay',
    entry: ENTRIES.relay,
    args: ['serve', '--config', config, '--ready-json'],
  });
  t.teardown(() => relay.stop());
  const staff = await signIn(url, await makeSignInLink(config));
  const client = await staff.call<{ id: string }>('POST', '/api/clients', { name: 'Practice' });
  const site = await staff.call<{ id: string }>('POST', '/api/sites', { clientId: client.id, name: 'Harbour' });
  return { url, rootKey, staff, siteId: site.id };
}

const checkedIn = (staff: StaffClient, siteId: string) =>
  waitFor(
    'a check-in',
    async () => {
      const { appliance } = await staff.call<Site>('GET', `/api/sites/${siteId}`);
      return (appliance?.lastCheckinAtMs ?? null) !== null && appliance;
    },
    60_000,
  );

t.test('a box released at one relay is claimed at another, and each side proves its half', async (t) => {
  const system = await startSystem();
  t.teardown(system.close);
  const before = await checkedIn(system.staff, system.siteId);
  const other = await otherCompany(t);
  const receiptOf = async (staff: StaffClient, siteId: string, rootKey: string) => {
    const { receipts } = await staff.call<{ receipts: CustodyReceipt[] }>('GET', `/api/sites/${siteId}/custody`);
    const { bundle } = await staff.call<{ bundle: CustodyBundle }>('GET', `/api/receipts/${receipts[0]?.receiptId}`);
    const file = join(system.base, 'receipt.json');
    writeFileSync(file, JSON.stringify(bundle));
    const said = await runProgram('relay', ['verify-receipt', file, '--root', rootKey]);
    return { receipt: receipts[0] as CustodyReceipt, said };
  };

  await system.staff.call('POST', `/api/sites/${system.siteId}/release`, {
    applianceId: before.id,
    reason: 'the clinic has another MSP',
  });
  const localUrl = system.appliance.localUrl;
  await waitFor(
    'the box to be free',
    async () => {
      const { claim } = (await (await fetch(new URL('/api/local/status', localUrl))).json()) as Local;
      return claim.phase === 'showing' && claim.left?.siteName === 'Main street';
    },
    60_000,
  );
  await system.appliance.stop();
  system.appliance = await startAppliance({
    dataDir: join(system.base, 'appliance'),
    relay: { url: other.url, rootKey: other.rootKey },
    checkinIntervalMs: 1000,
  });
  await claimBox(other.staff, other.siteId, system.appliance.localUrl);
  await checkedIn(other.staff, other.siteId);

  const rootKey = await rootPublicKeyOf(join(system.base, 'relay'));
  const given = await receiptOf(system.staff, system.siteId, rootKey);
  const taken = await receiptOf(other.staff, other.siteId, other.rootKey);
  t.match(given.receipt, { kind: 'released', siteName: 'Main street' });
  t.match(taken.receipt, { kind: 'received', siteName: 'Harbour', reason: 'claimed' });
  t.match(given.said, /the box's own word/);
  t.match(taken.said, /received/);
  for (const { said, receipt } of [given, taken]) t.match(said, `Device key ${receipt.box.dik}`);
  t.match(taken.said, `Its log begins here: ${taken.receipt.log.origin}`);
  t.equal(given.receipt.box.dik, taken.receipt.box.dik, 'one box, by its key');
});
