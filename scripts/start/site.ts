import type { StaffClient } from '../lib/staff-client.ts';
import { startError } from './errors.ts';

const CLIENT_NAME = 'This machine';
const SITE_NAME = 'This host';

interface Named {
  id: string;
  name: string;
}

/** The site this host is claimed for; made at the first start. The owner of the machine opts in to repairs: SELF_HEAL. */
export async function prepareSite(staff: StaffClient, requiredService: string): Promise<string> {
  const { sites } = await staff.call<{ sites: Named[] }>('GET', `/api/sites?search=${encodeURIComponent(SITE_NAME)}`);
  const known = sites.find((site) => site.name === SITE_NAME);
  if (known) {
    await staff.call('PATCH', `/api/sites/${known.id}`, { requiredServices: [requiredService] });
    return known.id;
  }
  const { clients } = await staff.call<{ clients: Named[] }>('GET', '/api/clients');
  const client =
    clients.find(({ name }) => name === CLIENT_NAME) ??
    (await staff.call<Named>('POST', '/api/clients', { name: CLIENT_NAME }));
  const site = await staff.call<Named>('POST', '/api/sites', {
    clientId: client.id,
    name: SITE_NAME,
    agentTier: 1,
    requiredServices: [requiredService],
    checkIntervalMs: 15_000,
  });
  return site.id;
}

/** Makes a pre-approved code and types it into the box, as a technician would on the box's own page. */
export async function claimBox(staff: StaffClient, siteId: string, applianceUrl: string): Promise<void> {
  const { url } = await staff.call<{ url: string }>('POST', '/api/provision/codes', {
    siteId,
    preApproved: true,
    ttlMinutes: 10,
  });
  const answer = await fetch(new URL('/api/local/claim', applianceUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: new URL(applianceUrl).origin },
    body: JSON.stringify({ code: url }),
    signal: AbortSignal.timeout(20_000),
  });
  if (!answer.ok)
    throw startError('CLAIM_REFUSED', { detail: `The box did not take the code: ${await answer.text()}` });
}
