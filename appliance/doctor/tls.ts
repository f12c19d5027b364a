import type { Socket } from 'node:net';
import { checkServerIdentity, type PeerCertificate, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { openTunnel } from '../lib/proxy.ts';
import { isTlsDateCode } from '../lib/relay-failure.ts';
import { Finding, type Patient, STEP_TIMEOUT_MS } from './types.ts';

/** Is it the relay that answers, and not something on the way. */
export async function examineTls(patient: Patient): Promise<string> {
  const { url, host } = patient;
  if (url.protocol !== 'https:') return 'The relay is configured without TLS.';
  const socket = await shakeHands(patient);
  try {
    if (!socket.authorized) throw findingOf(patient, socket);
    const certificate = socket.getPeerCertificate(false);
    if (checkServerIdentity(host, certificate) === undefined) return `${host} has proved who it is.`;
    const text = `What answers for ${host} is ${nameOf(certificate)}. Check relay.url and the DNS server.`;
    throw new Finding('TLS_NAME', text);
  } finally {
    socket.destroy();
  }
}

async function shakeHands(patient: Patient): Promise<TLSSocket> {
  const { host, port, ca, proxy, addresses } = patient;
  const timeoutMs = STEP_TIMEOUT_MS;
  const tunnel: Socket | undefined = proxy && (await openTunnel(proxy, { host, port, timeoutMs }));
  const socket = tlsConnect({
    ...(tunnel === undefined ? { host: addresses[0] ?? host, port } : { socket: tunnel }),
    servername: /^[\d.]+$|:/.test(host) ? '' : host,
    minVersion: 'TLSv1.2',
    // Whose certificate it is matters most when it is not the right one.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(ca === undefined ? {} : { ca }),
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(Object.assign(new Error('ETIMEDOUT'), { code: 'ETIMEDOUT' })), timeoutMs);
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve());
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw notSpoken(patient, (error as NodeJS.ErrnoException).code ?? 'ECONNRESET');
  } finally {
    clearTimeout(timer);
  }
}

function notSpoken({ port, host }: Patient, code: string): Finding {
  const what =
    code.startsWith('ERR_SSL') || code === 'EPROTO' ? 'answers without TLS' : `ends the TLS handshake (${code})`;
  return new Finding(
    'TLS_NOT_SPOKEN',
    `Port ${port} of ${host} ${what}: a captive portal or a firewall stands on the way. Sign in to the network, or let the box past it.`,
  );
}

function findingOf(patient: Patient, socket: TLSSocket): Finding {
  const { host, nowMs } = patient;
  const error = socket.authorizationError as (Error & { code?: string }) | string | undefined;
  const code = typeof error === 'string' ? error : String(error?.code ?? error?.message);
  const certificate = socket.getPeerCertificate(false);
  if (isTlsDateCode(code)) {
    const fromMs = Date.parse(certificate.valid_from);
    const toMs = Date.parse(certificate.valid_to);
    patient.certificate = { fromMs, toMs };
    const own = new Date(nowMs()).toISOString().slice(0, 16).replace('T', ' ');
    const range = `${certificate.valid_from} to ${certificate.valid_to}`;
    return new Finding(
      'TLS_DATE',
      `The certificate of ${host} is good from ${range}, and the box's clock says ${own} UTC. Set the clock, or let NTP (UDP 123) through.`,
    );
  }
  return new Finding(
    'TLS_INTERCEPTED',
    `The certificate for ${host} was made by ${issuerOf(certificate)}, which is not trusted (${code}): a TLS-inspecting proxy answers in the relay's place. Exempt ${host} from inspection there.`,
  );
}

const nameOf = ({ subject }: PeerCertificate): string => quoted(subject?.CN ?? subject?.O);
const issuerOf = ({ issuer }: PeerCertificate): string => quoted(issuer?.CN ?? issuer?.O);

/** Words of a stranger's certificate: bounded, and nothing that moves the cursor. */
function quoted(words: string | string[] | undefined): string {
  const text = String(Array.isArray(words) ? words[0] : (words ?? 'nobody named'));
  return `"${text.replaceAll(/[^\p{L}\p{N} .,:@_()-]/gu, '').slice(0, 60)}"`;
}
