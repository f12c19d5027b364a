import { BOX_PATHS, type SiteConfig } from '@sitewarden/agent-proto/http';
import t from 'tap';
import nacl from 'tweetnacl';
import { ownPayload } from '../../relay/keys/index.ts';
import { seedSite } from '../helpers/relay.ts';
import { lookAtPage } from './lib/look-at-page.mjs';
import { DESK, openStage, PHONE } from './lib/stage.ts';

const PEM = [
  '-----BEGIN PRIVATE KEY-----',
  'canary-of-the-page/MC4CAQAwBQYDK2VwBCIEIKqT9Zc',
  'second-line/9+8=',
  '-----END PRIVATE KEY-----',
  '',
].join('\n');

const stage = await openStage(t);

t.test('an admin seals a secret to the box, and the page never shows it again', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const { siteId } = await seedSite(relay.store, partner.id, 'Main street');
  const { box, applianceId } = await relay.claim(partner.admin, siteId);
  const page = await partner.open(`/sites/${siteId}/secrets`);
  const section = page.locator('#secrets');
  const submit = section.getByRole('button', { name: 'Seal it to the box' });
  await submit.waitFor();
  t.ok(await submit.isDisabled());
  await section.getByRole('textbox', { name: 'Name of a secret' }).fill('SSH root');
  await section.getByText('This cannot be a name.').waitFor();
  await section.getByRole('textbox', { name: 'Name of a secret' }).fill('ssh-root');
  const value = section.getByLabel('Value', { exact: true });
  await value.fill(PEM);
  t.equal(await value.inputValue(), PEM, 'a key of several lines goes in as it is');
  // Runs in the page, which has what this program does not.
  type Styles = { getComputedStyle(of: unknown): { getPropertyValue(name: string): string } };
  const hiding = () =>
    value.evaluate((field) =>
      (globalThis as unknown as Styles).getComputedStyle(field).getPropertyValue('-webkit-text-security'),
    );
  t.equal(await hiding(), 'disc', 'hidden like a password');
  await section.getByLabel('Show what I enter').check();
  t.equal(await hiding(), 'none');
  await section.getByLabel('Show what I enter').uncheck();
  t.equal(await value.getAttribute('autocomplete'), 'off');
  t.equal(await value.getAttribute('spellcheck'), 'false');
  await section.getByLabel('Show what I enter').check();
  await submit.click();
  await section.getByText('Sealed. The box has it after its next check-in.').waitFor();
  await section.getByRole('button', { name: 'Remove the secret ssh-root' }).waitFor();
  t.equal(await section.getByLabel('Value', { exact: true }).inputValue(), '');
  t.notMatch(await page.content(), 'canary-of-the-page');
  t.equal(await hiding(), 'disc', 'the next one is hidden again');
  const { config } = (await box.send<{ config: string }>(BOX_PATHS.config)).body;
  const [sealed] = ownPayload<SiteConfig>(config).secrets ?? [];
  const bytes = Buffer.from(sealed?.box ?? '', 'base64url');
  const key = Buffer.from(box.sealSecret);
  const plain = nacl.box.open(bytes.subarray(56), bytes.subarray(32, 56), bytes.subarray(0, 32), key);
  t.equal(JSON.parse(Buffer.from(plain ?? []).toString()).value, PEM, 'every line reached the box');
  for (const viewport of [PHONE, DESK]) {
    await page.setViewportSize(viewport);
    t.strictSame(await page.evaluate(lookAtPage), []);
    const widthOf = async (label: string) => (await section.getByLabel(label, { exact: true }).boundingBox())?.width;
    t.equal(await widthOf('Value'), await widthOf('Name of a secret'), 'both fields look alike');
  }

  const fresh = await relay.box(box.serial);
  const { session } = (await fresh.start()).body;
  const { number } = (await fresh.status(session)).body;
  await partner.admin.call('rearmBox', { params: { session }, body: { number, applianceId } });
  await section.getByText('To be entered again: ssh-root').waitFor();
  await section.getByRole('button', { name: 'Remove the secret ssh-root' }).click();
  await section.getByText('This site has no secrets.').waitFor();

  const operator = await partner.open(`/sites/${siteId}`, { role: 'operator' });
  await operator.getByRole('heading', { name: 'Evidence' }).waitFor();
  t.equal(await operator.locator('#secrets').count(), 0);
});
