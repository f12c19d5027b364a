import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CustodyBundle } from '@sitewarden/agent-proto/http';
import t from 'tap';
import { KEY_STEPS, stepKeys } from '../../../relay/keys/index.ts';
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
  const list = join(relay.dataDir, 'saved-keys.json');
  const withKeys = () =>
    runProgram('relay', ['verify-receipt', file, '--root', root, '--relay-keys', list]).catch(
      (error: Error) => error.message,
    );
  const answer = await (await fetch(`${relay.url}/api/relay/keys`)).text();
  await writeFile(list, answer);
  t.match(await withKeys(), /^Holds/);
  t.notMatch(await withKeys(), /WITHDRAWN/);
  const { dataDir } = relay;
  for (const step of KEY_STEPS) await stepKeys(step, { dataDir, nowMs: Date.now() });
  await copyFile(join(dataDir, 'keys', 'relay-keys.json'), list);
  t.match(await withKeys(), /ended with 3: Holds[\s\S]*SIGNED BY A KEY WITHDRAWN SINCE: believe its date only if/);
  await writeFile(list, 'no JSON');
  t.match(await withKeys(), /RELAY_KEYS_UNREADABLE/);
  await writeFile(file, JSON.stringify({ ...bundle, receipt: bundle.receipt.replace('"sig":"', '"sig":"AAAA') }));
  t.match(await verify(), /ended with 1: DOES NOT HOLD at: receipt under the config key/);
  await writeFile(file, 'no JSON');
  t.match(await verify(), /RECEIPT_UNREADABLE/);
});
