import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CustodyBundle } from '@sitewarden/agent-proto/http';
import t from 'tap';
import { runProgram } from '../../../scripts/lib/programs.ts';
import { seedPartner, seedSite, startTestRelay } from '../../helpers/relay.ts';
import { rootPublicKeyOf } from '../../helpers/root-key.ts';

t.test('a saved receipt is checked with no relay, and one that was changed does not hold', async (t) => {
  const relay = await startTestRelay((fn) => t.teardown(fn));
  const partnerId = await seedPartner(relay.store);
  const { siteId } = await seedSite(relay.store, partnerId);
  const admin = await relay.staff(partnerId, 'admin');
  const { applianceId, box } = await relay.claim(admin, siteId);
  const params = { siteId };
  const removed = await admin.call<{ receipts: { receiptId: string }[] }>('removeBox', {
    params,
    body: { applianceId, reason: 'broken' },
  });
  const receiptId = removed.body.receipts[0]?.receiptId as string;
  const { bundle } = (await admin.call<{ bundle: CustodyBundle }>('receipt', { params: { receiptId } })).body;
  const file = join(t.testdir(), 'receipt.json');
  const root = await rootPublicKeyOf(relay.dataDir);
  const verify = () =>
    runProgram('relay', ['verify-receipt', file, '--root', root]).catch((error: Error) => error.message);

  await writeFile(file, JSON.stringify(bundle));
  const said = await verify();
  t.match(said, /^Holds: relay keys under the root key, receipt under the config key/);
  t.match(said, new RegExp(`Box ${box.serial} .*removed`));
  await writeFile(file, JSON.stringify({ ...bundle, receipt: bundle.receipt.replace('"sig":"', '"sig":"AAAA') }));
  t.match(await verify(), /ended with 1: DOES NOT HOLD at: receipt under the config key/);
  await writeFile(file, 'no JSON');
  t.match(await verify(), /RECEIPT_UNREADABLE/);
});
