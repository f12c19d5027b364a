import { getServers } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Finding, type Patient, STEP_TIMEOUT_MS } from './types.ts';

const ASK_MS = 2000;

/** Can the name be resolved, and is the answer one that can be true. */
export async function examineDns(patient: Patient): Promise<string> {
  const { host } = patient.next;
  if (isIP(host) !== 0) {
    patient.addresses = [host];
    return `${host} is an address; no name server is needed.`;
  }
  const servers = getServers().join(', ') || 'none is set';
  const found = await system(host);
  if (typeof found === 'string') throw await findingOf(host, servers, found);
  const wrong = found.find((address) => isSinkhole(address, host));
  if (wrong !== undefined) {
    throw new Finding(
      'DNS_FILTERED',
      `The name server (${servers}) answers ${wrong} for ${host}: a DNS filter blocks it. Allow ${host} in the filter.`,
    );
  }
  patient.addresses = found;
  return `${host} is ${found.slice(0, 3).join(', ')}.`;
}

/** As every program of the box resolves it; the error code when it does not. */
async function system(host: string): Promise<string[] | string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('ETIMEOUT'), STEP_TIMEOUT_MS);
  });
  const asked = lookup(host, { all: true }).then(
    (list) => list.map(({ address }) => address),
    (error: NodeJS.ErrnoException) => error.code ?? 'EAI_FAIL',
  );
  const answer = await Promise.race([asked, late]);
  clearTimeout(timer);
  return answer;
}

/** The system's resolver says little about why; the name servers are asked themselves. */
async function findingOf(host: string, servers: string, code: string): Promise<Finding> {
  const why = await direct(host);
  if (why === 'ENOTFOUND' || why === 'ENODATA') {
    return new Finding(
      'DNS_UNKNOWN_NAME',
      `The name server (${servers}) says there is no ${host}. Check relay.url, and whether a DNS filter hides the name; allow it there.`,
    );
  }
  if (why === 'ETIMEOUT' || why === 'ECONNREFUSED' || code === 'ETIMEOUT') {
    return new Finding(
      'DNS_SILENT',
      `The name server (${servers}) does not answer. Check the DNS server the router gives out, and that UDP port 53 is open to it.`,
    );
  }
  if (why === 'EREFUSED') {
    return new Finding(
      'DNS_FILTERED',
      `The name server (${servers}) refuses to answer for ${host}. Allow the box and this name in the DNS filter.`,
    );
  }
  return new Finding(
    'DNS_FAILED',
    `The name server (${servers}) failed on ${host} (${why}). Try another DNS server in the router.`,
  );
}

async function direct(host: string): Promise<string> {
  const resolver = new Resolver({ timeout: ASK_MS, tries: 1 });
  try {
    await resolver.resolve4(host);
    return 'EAI_FAIL';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EAI_FAIL';
  }
}

/** Addresses filters answer with instead of the true one. A relay of the site's own network is none. */
function isSinkhole(address: string, host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return false;
  return /^0\./.test(address) || /^127\./.test(address) || address === '::' || address === '::1';
}
