import { connect, type Socket } from 'node:net';
import { openTunnel, ProxyFailure } from '../lib/proxy.ts';
import { Finding, type Patient, STEP_TIMEOUT_MS } from './types.ts';

/** Does the port answer: the relay's, or the proxy's and then the relay's through it. */
export async function examineTcp(patient: Patient): Promise<string> {
  const { next, addresses, proxy } = patient;
  const failures: string[] = [];
  for (const host of addresses.slice(0, 4)) {
    const failure = await knock(host, next.port, STEP_TIMEOUT_MS / Math.min(4, addresses.length));
    if (failure === undefined) return proxy === undefined ? `Port ${next.port} answers.` : throughProxy(patient);
    failures.push(failure);
  }
  throw findingOf(patient, failures);
}

/** Undefined when it answers. */
async function knock(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  const socket: Socket = connect({ host, port });
  try {
    return await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => resolve('ETIMEDOUT'), timeoutMs);
      const end = (value: string | undefined) => {
        clearTimeout(timer);
        resolve(value);
      };
      socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'ECONNRESET'));
      socket.once('connect', () => end(undefined));
    });
  } finally {
    socket.destroy();
  }
}

function findingOf({ next, proxy }: Patient, failures: readonly string[]): Finding {
  const place = `Port ${next.port} of ${next.host}`;
  if (proxy !== undefined) {
    return new Finding(
      'PROXY_UNREACHABLE',
      `${place}, the proxy, does not answer (${failures[0]}). Check relay.proxy.`,
    );
  }
  if (failures.every((code) => code === 'ECONNREFUSED')) {
    const text = `${place} is refused. A firewall rejects it, or the relay is not running there: allow outgoing TCP ${next.port}, and check relay.url.`;
    return new Finding('PORT_REFUSED', text);
  }
  if (failures.some((code) => code === 'ENETUNREACH' || code === 'EHOSTUNREACH')) {
    return new Finding(
      'NETWORK_UNREACHABLE',
      `There is no way to ${next.host}. Check the gateway and its internet connection.`,
    );
  }
  return new Finding(
    'PORT_BLOCKED',
    `${place} does not answer: a firewall on the way drops it. Allow outgoing TCP ${next.port} to ${next.host}.`,
  );
}

async function throughProxy({ proxy, host, port }: Patient): Promise<string> {
  try {
    const socket = await openTunnel(proxy!, { host, port, timeoutMs: STEP_TIMEOUT_MS });
    socket.destroy();
    return `The proxy leads to port ${port} of ${host}.`;
  } catch (error) {
    if (!(error instanceof ProxyFailure)) throw error;
    const { statusCode, code } = error;
    if (statusCode === 407) {
      throw new Finding(
        'PROXY_LOGIN',
        'The proxy wants a name and a password. Put `name:password` into the file of relay.proxyCredentialsFile.',
      );
    }
    const said = statusCode === 0 ? `does not answer (${code})` : `refuses (${statusCode})`;
    throw new Finding('PROXY_REFUSED', `The proxy ${said} to lead to ${host}:${port}. Allow CONNECT to it there.`);
  }
}
