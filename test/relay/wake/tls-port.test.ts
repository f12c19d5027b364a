import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makeChain } from '../../helpers/certificates.ts';
import { seedPartner, seedSite, startTestRelay } from '../../helpers/relay.ts';
import { connectOptions, connectWake, subscribeWake, wakeTopic } from '../../helpers/wake-client.ts';

t.setTimeout(60_000);

const dir = mkdtempSync(join(tmpdir(), 'sitewarden-wake-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const chain = await makeChain({ aroundMs: Date.now() });
const [certFile, keyFile] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
writeFileSync(certFile, chain.cert);
writeFileSync(keyFile, chain.key);

t.test('the same broker speaks plain MQTT over TLS on a port of its own', async (t) => {
  const relay = await startTestRelay(t.teardown.bind(t), {
    wake: { tls: { host: '127.0.0.1', port: 0, certFile, keyFile } },
  });
  const partnerId = await seedPartner(relay.store);
  const admin = await relay.staff(partnerId, 'admin');
  const { siteId } = await seedSite(relay.store, partnerId);
  const { box, applianceId } = await relay.claim(admin, siteId);
  const url = `mqtts://127.0.0.1:${relay.wakeTlsPort}`;
  const options = () => ({ ...connectOptions(box, { origin: relay.publicUrl, applianceId }), ca: chain.ca });
  const client = await connectWake(url, options());
  t.teardown(() => client.close());
  t.equal(await subscribeWake(client, wakeTopic(applianceId)), 0);
  relay.services.wakes.wake(siteId, 'orders');
  t.equal(await client.next(), 'orders');
  await t.rejects(connectWake(url, { ...options(), password: 'no' }), { code: 4 });
  await relay.close();
  await client.closed;
});

t.test('a certificate that is not there stops the start and names its key', async (t) => {
  const tls = { host: '127.0.0.1', port: 0, certFile: join(dir, 'none.pem'), keyFile };
  await t.rejects(startTestRelay(t.teardown.bind(t), { wake: { tls } }), {
    code: 'CONFIG_INVALID',
    field: 'wake.tls.certFile',
  });
  const swapped = { host: '127.0.0.1', port: 0, certFile: keyFile, keyFile };
  await t.rejects(startTestRelay(t.teardown.bind(t), { wake: { tls: swapped } }), { code: 'CONFIG_INVALID' });
});

t.test('switched off, the relay takes no connection and orders wait for check-ins', async (t) => {
  const relay = await startTestRelay(t.teardown.bind(t), { wake: { enabled: false } });
  const partnerId = await seedPartner(relay.store);
  const admin = await relay.staff(partnerId, 'admin');
  const { siteId } = await seedSite(relay.store, partnerId);
  const { box, applianceId } = await relay.claim(admin, siteId);
  const options = connectOptions(box, { origin: relay.publicUrl, applianceId });
  await t.rejects(connectWake(`${relay.url.replace('http', 'ws')}/mqtt`, options), /closed|503/);
  const order = await admin.request('POST', `/api/sites/${siteId}/orders`, { action: 'run_check' });
  t.equal(order.status, 201);
});
