import { makeCsr } from '../../agent/identity/csr.ts';
import type { StaffClient } from '../lib/staff-client.ts';
import { claimBox, type SimBox } from './box.ts';
import type { HttpClient } from './http.ts';

/** Claims at a time: each costs the relay a password hash for the typed form of its code. */
const PARALLEL = 8;

export interface FleetInput {
  readonly staff: StaffClient;
  readonly http: HttpClient;
  readonly count: number;
  readonly signal: AbortSignal;
  onProgress(done: number): void;
}

/** Makes a client, a site and a code for each box, and claims them. Stops early at the signal. */
export async function claimFleet({ staff, http, count, signal, onProgress }: FleetInput): Promise<SimBox[]> {
  const run = Date.now().toString(36);
  const client = await staff.call<{ id: string }>('POST', '/api/clients', { name: `Simulated ${run}` });
  const { csr } = await makeCsr();
  const lines = csr.toString('base64').match(/.{1,64}/g) ?? [];
  const siteCaCsr = `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
  const boxes: SimBox[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count && !signal.aborted) {
      const number = ++next;
      const serial = `SIM-${run}-${number}`;
      const site = await staff.call<{ id: string }>('POST', '/api/sites', { clientId: client.id, name: serial });
      const { url } = await staff.call<{ url: string }>('POST', '/api/provision/codes', {
        siteId: site.id,
        preApproved: true,
        ttlMinutes: 10,
      });
      boxes.push(await claimBox(http, { serial, codeUrl: url, siteCaCsr }));
      onProgress(boxes.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, count) }, worker));
  return boxes;
}
