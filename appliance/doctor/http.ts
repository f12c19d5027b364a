import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import { proxyUrl } from '../lib/proxy.ts';
import { TimedAgent } from '../lib/tls-at-time.ts';
import { readRelayKeys, TrustError } from '../lib/trust.ts';
import { Finding, type Patient, STEP_TIMEOUT_MS } from './types.ts';

const MAX_BODY_BYTES = 256 * 1024;

/** Does the relay itself answer: its working keys, signed by the pinned root, cannot be made by anybody else. */
export async function examineHttp(patient: Patient): Promise<string> {
  const { host, rootKey } = patient;
  const answer = await ask(patient);
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300 && isSigned(body, rootKey)) {
    patient.relayDate = headers.date;
    return `The relay at ${host} answers, and its root key stands behind it.`;
  }
  throw findingOf(patient, answer);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function ask(patient: Patient): Promise<Answer> {
  const { url, ca, proxy, host } = patient;
  const target = `${url.origin}${BOX_PATHS.relayKeys}`;
  const isTls = url.protocol === 'https:';
  const agent = isTls
    ? new TimedAgent({ ca, proxy, maxSockets: 1, trustedNowMs: () => undefined })
    : new HttpAgent(proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxyUrl(proxy) } });
  const begin = isTls ? httpsRequest : httpRequest;
  try {
    return await read(begin(target, { agent, signal: AbortSignal.timeout(STEP_TIMEOUT_MS) }));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).name;
    throw new Finding(
      'HTTP_SILENT',
      `${host} takes the connection and does not answer (${code}). Check for a firewall that inspects, and try again in a minute.`,
    );
  } finally {
    agent.destroy();
  }
}

function read(request: ReturnType<typeof httpRequest>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        });
      incoming.on('error', reject);
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MAX_BODY_BYTES) return void chunks.push(chunk);
        incoming.destroy();
        done();
      });
      incoming.on('end', done);
    });
    request.end();
  });
}

function isSigned(body: string, rootKey: string): boolean {
  try {
    const { relayKeys } = JSON.parse(body) as { relayKeys?: unknown };
    readRelayKeys(String(relayKeys), rootKey);
    return true;
  } catch (error) {
    if (error instanceof TrustError || error instanceof SyntaxError || error instanceof TypeError) return false;
    throw error;
  }
}

function findingOf({ host }: Patient, { status, headers, body }: Answer): Finding {
  const elsewhere = hostOf(headers.location);
  const isPage = String(headers['content-type'] ?? '').includes('text/html') || /^\s*<(!doctype|html)/i.test(body);
  if (status === 511 || (status >= 300 && status < 400 && elsewhere !== host) || (status < 300 && isPage)) {
    const where = elsewhere === undefined ? 'its page' : elsewhere;
    return new Finding(
      'CAPTIVE_PORTAL',
      `A captive portal answers instead of the relay (${where}). Sign this network in there, or have the box's address let through without it.`,
    );
  }
  if (status === 502 || status === 503 || status === 504 || status === 429) {
    return new Finding(
      'RELAY_FAILING',
      `The relay answers ${status}: it is busy or down. The box tries again by itself; look at the relay if it lasts.`,
    );
  }
  return new Finding(
    'NOT_THE_RELAY',
    `What answers (${status}) is not the relay whose root key this box knows. Check relay.url and relay.rootKey.`,
  );
}

function hostOf(location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location)) return undefined;
  return new URL(location).hostname.slice(0, 100);
}
