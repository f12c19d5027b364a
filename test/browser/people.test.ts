import t from 'tap';
import { newPage, openStage, PHONE } from './lib/stage.ts';

const stage = await openStage(t);
const PASSWORD = 'correct horse battery';

t.test(
  'somebody is invited, accepts, signs out, signs in with the password, and is disabled',
  { skip: !stage },
  async (t) => {
    const { relay, browser, newPartner } = stage!;
    const partner = await newPartner();
    await partner.newSite('Elm street');
    const desk = await partner.open('/people');
    await desk.getByText('Nobody was invited yet').waitFor();
    await desk.getByLabel('Name').fill('Kim Field');
    await desk.getByLabel('E-mail').fill('Kim@Partner.example');
    await desk.getByLabel('Role').selectOption('Operator');
    await desk.getByRole('button', { name: 'Make the invite' }).click();
    const link = await desk.getByTestId('invite-link').innerText();
    t.match(link, /\/invite#[A-Za-z0-9_-]{43}$/);
    await desk.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: relay.url });
    await desk.getByRole('button', { name: 'Copy the link' }).click();
    await desk.getByRole('button', { name: 'Copied' }).waitFor();
    t.equal(await desk.evaluate('navigator.clipboard.readText()'), link);
    await desk.getByRole('button', { name: 'Done, forget it' }).click();
    t.equal(await desk.getByText(link).count(), 0, 'a link is seen once');
    await desk.getByText('Not accepted yet', { exact: true }).waitFor();

    const phone = await newPage(t, browser, { viewport: PHONE, hasTouch: true });
    await phone.goto(link);
    await phone.getByText('Ada Moreno').or(phone.getByText('admin person')).waitFor();
    t.notMatch(phone.url(), '#', 'the token left the address bar');
    await phone.getByText('kim@partner.example').waitFor();
    const accept = phone.getByRole('button', { name: 'Accept and sign in' });
    await phone.getByLabel('Choose a password').fill('short');
    t.equal(await accept.isDisabled(), true);
    await phone.getByLabel('Choose a password').fill('kim@partner.example');
    await accept.click();
    await phone.getByText('The password is the e-mail address').waitFor();
    await phone.getByLabel('Choose a password').fill(PASSWORD);
    await accept.click();
    await phone.waitForURL(`${relay.url}/`);
    t.equal(await phone.getByRole('link', { name: 'People' }).count(), 0, 'only admins manage people');
    await phone.getByRole('button', { name: 'Sign out Kim Field' }).click();
    await phone.getByText('You are signed out.').waitFor();

    await phone.getByLabel('E-mail').fill('kim@partner.example');
    await phone.getByLabel('Password').fill('a guess like any other');
    await phone.getByRole('button', { name: 'Sign in' }).click();
    await phone.getByText('E-mail and password do not fit together').waitFor();
    await phone.getByLabel('Password').fill(PASSWORD);
    await phone.getByRole('button', { name: 'Sign in' }).click();
    await phone.waitForURL(`${relay.url}/`);
    await phone.getByText('Elm street').waitFor();

    await desk.reload();
    await desk.getByText('Accepted', { exact: true }).waitFor();
    await desk.getByRole('button', { name: 'Disable Kim Field' }).click();
    await desk.getByText('Sign Kim Field out everywhere?').waitFor();
    await desk.getByRole('button', { name: 'Yes, disable Kim Field' }).click();
    await desk.getByText('Disabled', { exact: true }).waitFor();
    await phone.getByText('You were signed out.').waitFor();
    await phone.getByLabel('E-mail').fill('kim@partner.example');
    await phone.getByLabel('Password').fill(PASSWORD);
    await phone.getByRole('button', { name: 'Sign in' }).click();
    await phone.getByText('E-mail and password do not fit together').waitFor();

    await phone.goto(link);
    await phone.getByText('This link lets nobody in any more').waitFor();
  },
);

t.test('an admin gives a technician sites, changes the role, and takes an invite back', { skip: !stage }, async (t) => {
  const { browser, newPartner } = stage!;
  const partner = await newPartner();
  for (const name of ['Harbor view', 'Hilltop']) await partner.newSite(name);
  const desk = await partner.open('/people');
  const invite = async (name: string) => {
    await desk.getByLabel('Name').fill(name);
    await desk.getByLabel('E-mail').fill(`${name.toLowerCase()}@partner.example`);
    await desk.getByRole('combobox', { name: 'Sites' }).fill('hill');
    await desk.getByRole('option', { name: /Hilltop/ }).click();
    await desk.keyboard.press('Escape');
    await desk.getByRole('button', { name: 'Make the invite' }).click();
    const link = await desk.getByTestId('invite-link').innerText();
    await desk.getByRole('button', { name: 'Done, forget it' }).click();
    return link;
  };
  const taken = await invite('Lee');
  await desk.getByRole('button', { name: 'Take back the invite for Lee' }).click();
  await desk.getByText('Taken back').waitFor();
  const phone = await newPage(t, browser, { viewport: PHONE, hasTouch: true });
  await phone.goto(taken);
  await phone.getByText('This link lets nobody in any more').waitFor();

  await phone.goto('about:blank');
  await phone.goto(await invite('Tim'));
  await phone.getByText('Your sites: Hilltop.').waitFor();
  await phone.getByLabel('Choose a password').fill(PASSWORD);
  await phone.getByRole('button', { name: 'Accept and sign in' }).click();
  await phone.waitForURL('**/claim');

  await desk.reload();
  await desk.getByText('Technician: Hilltop').waitFor();
  await desk.getByRole('button', { name: 'Change Tim' }).click();
  const row = desk.getByRole('listitem').filter({ has: desk.getByRole('button', { name: 'Save' }) });
  await row.getByLabel('Role').selectOption('Reader');
  await row.getByRole('button', { name: 'Save' }).click();
  await desk.getByText(/^Reader, tim@partner\.example/).waitFor();

  await desk.getByRole('button', { name: 'Disable admin person' }).click();
  await desk.getByRole('button', { name: 'Yes, disable admin person' }).waitFor();
  await desk.getByRole('button', { name: 'Leave it' }).click();
});

t.test('who came in by a link sets e-mail and password, and later changes it', { skip: !stage }, async (t) => {
  const { relay, newPartner } = stage!;
  const partner = await newPartner();
  const page = await partner.open('/');
  await page.getByRole('link', { name: /^Your account/ }).click();
  await page.waitForURL(`${relay.url}/account`);
  await page.getByLabel('E-mail').fill('ada.link@partner.example');
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set the password' }).click();
  await page.getByText('The new password counts from now on').waitFor();
  await page.getByText('ada.link@partner.example').waitFor();
  await page.getByRole('button', { name: /^Sign out/ }).click();
  await page.getByLabel('E-mail').fill('ada.link@partner.example');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${relay.url}/`);
  await page.goto(`${relay.url}/account`);
  await page.getByLabel('Present password').fill('a guess like any other');
  await page.getByLabel('New password').fill('another horse battery');
  await page.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('This is not your present password').waitFor();
  await page.getByLabel('Present password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Change the password' }).click();
  await page.getByText('The new password counts from now on').waitFor();
  t.equal(await page.getByLabel('Present password').inputValue(), '', 'nothing typed stays on the page');
});
