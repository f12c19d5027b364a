import { lookup } from 'node:dns/promises';
import { statfs } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as tlsConnect } from 'node:tls';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';

export interface DoctorLine {
  readonly name: string;
  readonly state: 'ok' | 'failed' | 'skipped';
  /** A sentence; when failed it ends with what to do. */
  readonly text: string;
}

export interface DoctorInput {
  readonly relayOrigin: string;
  readonly ca?: string | undefined;
  readonly dataDir: string;
  nowMs(): number;
}

const STEP_TIMEOUT_MS = 5000;
const MAX_CLOCK_OFFSET_MS = 300_000;
const MIN_FREE_BYTES = 64 * 1024 * 1024;

interface Patient extends DoctorInput {
  readonly url: URL;
  readonly port: number;
  /** From the answer of the relay, when there was one. */
  date?: string | undefined;
}

/** Answers with what is fine; throws a sentence that ends with what to do. */
type Examination = (patient: Patient) => Promise<string>;

/** In the order in which a connection comes about: what fails first is the cause of what follows. */
const EXAMINATIONS: readonly (readonly [name: string, examine: Examination, standsAlone: boolean])[] = [
  ['link', examineLink, false],
  ['dns', examineDns, false],
  ['tcp', examineTcp, false],
  ['tls', examineTls, false],
  ['http', examineHttp, false],
  ['clock', examineClock, false],
  ['disk', examineDisk, true],
];

/** Why the relay cannot be reached, one line each. Never rejects. */
export async function runDoctor(input: DoctorInput): Promise<DoctorLine[]> {
  const url = new URL(input.relayOrigin);
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const patient: Patient = { ...input, url, port };
  const lines: DoctorLine[] = [];
  let hasFailed = false;
  for (const [name, examine, standsAlone] of EXAMINATIONS) {
    if (hasFailed && !standsAlone) {
      lines.push({ name, state: 'skipped', text: 'Not looked at: a step before it failed.' });
      continue;
    }
    try {
      lines.push({ name, state: 'ok', text: await examine(patient) });
    } catch (error) {
      if (!standsAlone) hasFailed = true;
      lines.push({ name, state: 'failed', text: error instanceof Error ? error.message : String(error) });
    }
  }
  return lines;
}

async function examineLink(): Promise<string> {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  if (addresses.length > 0) return `The box has ${addresses.length} network address(es).`;
  throw new Error('The box has no network address. Check the cable, and that the router gives addresses by DHCP.');
}

async function examineDns({ url }: Patient): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  try {
    const { address } = await within(lookup(host));
    return `${host} is ${address}.`;
  } catch {
    throw new Error(`The name ${host} cannot be resolved. Check the DNS server the router gives out.`);
  }
}

function whenOpen(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(STEP_TIMEOUT_MS, () => reject(new Error('ETIMEDOUT')));
    socket.once('error', reject);
    socket.once(event, () => resolve());
  });
}

async function examineTcp({ url, port }: Patient): Promise<string> {
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port });
  try {
    await whenOpen(socket, 'connect');
    return `Port ${port} answers.`;
  } catch {
    throw new Error(
      `Port ${port} of ${url.hostname} does not answer. Allow outgoing connections to it in the firewall.`,
    );
  } finally {
    socket.destroy();
  }
}

async function examineTls({ url, port, ca }: Patient): Promise<string> {
  if (url.protocol !== 'https:') return 'The relay is configured without TLS.';
  const socket = tlsConnect({
    host: url.hostname,
    port,
    servername: url.hostname,
    ...(ca === undefined ? {} : { ca }),
  });
  try {
    await whenOpen(socket, 'secureConnect');
    return 'The relay has proved who it is.';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    const isDate = code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID';
    const advice = isDate
      ? 'Set the clock of the box.'
      : 'Something on the way answers in its place: allow the relay past any TLS inspection.';
    throw new Error(`The certificate of ${url.hostname} is not accepted (${code}). ${advice}`);
  } finally {
    socket.destroy();
  }
}

async function examineHttp(patient: Patient): Promise<string> {
  const { url, ca } = patient;
  const target = `${url.origin}${BOX_PATHS.relayKeys}`;
  const answer = await new Promise<{ status: number; date: string | undefined }>((resolve, reject) => {
    const begun =
      url.protocol === 'https:'
        ? httpsGet(target, { timeout: STEP_TIMEOUT_MS, agent: false, ...(ca === undefined ? {} : { ca }) })
        : httpGet(target, { timeout: STEP_TIMEOUT_MS, agent: false });
    begun.on('timeout', () => begun.destroy(new Error('ETIMEDOUT')));
    begun.on('error', reject);
    begun.on('response', (incoming) => {
      incoming.resume();
      resolve({ status: incoming.statusCode ?? 0, date: incoming.headers.date });
    });
  }).catch(() => ({ status: 0, date: undefined }));
  patient.date = answer.date;
  if (answer.status === 200) return 'The relay answers.';
  if (answer.status === 0) throw new Error('The relay does not answer HTTP. Check for a proxy or a captive portal.');
  throw new Error(`The relay answers ${answer.status}. Check that relay.url is a Sitewarden relay.`);
}

async function examineClock({ date, nowMs }: Patient): Promise<string> {
  const theirs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return 'The relay does not say what time it is.';
  const offsetMs = theirs - nowMs();
  if (Math.abs(offsetMs) <= MAX_CLOCK_OFFSET_MS) return 'The clock agrees with the relay.';
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const way = offsetMs > 0 ? 'behind' : 'ahead';
  throw new Error(`The clock is ${minutes} minutes ${way}. The box works with the relay's time; let NTP through.`);
}

async function examineDisk({ dataDir }: Patient): Promise<string> {
  const { bavail, bsize } = await statfs(dataDir);
  const freeBytes = bavail * bsize;
  const free = `${Math.floor(freeBytes / 1_048_576)} MiB`;
  if (freeBytes >= MIN_FREE_BYTES) return `${free} are free.`;
  throw new Error(`Only ${free} are free on the disk. Free space on it, or put in a larger one.`);
}

function within<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('ETIMEDOUT')), STEP_TIMEOUT_MS).unref();
    }),
  ]);
}
