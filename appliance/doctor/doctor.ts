import { DOCTOR_STEPS } from '@sitewarden/agent-proto/http';
import { examineClock } from './clock.ts';
import { examineDisk } from './disk.ts';
import { examineDns } from './dns.ts';
import { examineHttp } from './http.ts';
import { examineAddress, examineLink } from './network.ts';
import { examineTcp } from './tcp.ts';
import { examineTls } from './tls.ts';
import {
  type DoctorInput,
  type DoctorLine,
  type DoctorStep,
  type Examination,
  Finding,
  type Patient,
  STEP_TIMEOUT_MS,
} from './types.ts';

const EXAMINATIONS: Readonly<Record<DoctorStep, Examination>> = {
  link: examineLink,
  address: examineAddress,
  dns: examineDns,
  tcp: examineTcp,
  tls: examineTls,
  http: examineHttp,
  clock: examineClock,
  disk: examineDisk,
};
/** These look at the box itself, whatever became of the way out. */
const STANDS_ALONE: ReadonlySet<DoctorStep> = new Set(['clock', 'disk']);
/** Each step ends by itself within STEP_TIMEOUT_MS; this is for a fault of ours. */
const HARD_LIMIT_MS = 3 * STEP_TIMEOUT_MS;

/** Why the relay cannot be reached, one line a step, told as they come. Works without internet. Never rejects. */
export async function runDoctor(
  input: DoctorInput,
  tell: (line: DoctorLine) => void = () => {},
): Promise<DoctorLine[]> {
  const patient = patientOf(input);
  const lines: DoctorLine[] = [];
  let hasFailed = false;
  for (const name of DOCTOR_STEPS) {
    const line = hasFailed && !STANDS_ALONE.has(name) ? skipped(name) : await examine(name, patient);
    if (line.state === 'failed') hasFailed = true;
    lines.push(line);
    tell(line);
  }
  return lines;
}

function patientOf(input: DoctorInput): Patient {
  const url = new URL(input.relayOrigin);
  const host = bare(url.hostname);
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const proxy = input.proxy === undefined ? undefined : new URL(input.proxy.url);
  const next = proxy === undefined ? { host, port } : { host: bare(proxy.hostname), port: Number(proxy.port || 80) };
  return { ...input, url, host, port, next, addresses: [] };
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

async function examine(name: DoctorStep, patient: Patient): Promise<DoctorLine> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no end within ${HARD_LIMIT_MS / 1000} s`)), HARD_LIMIT_MS);
    });
    const text = await Promise.race([EXAMINATIONS[name](patient), tooLong]);
    return { name, state: 'ok', code: null, text };
  } catch (error) {
    if (error instanceof Finding) return { name, state: 'failed', code: error.code, text: error.message };
    const why = error instanceof Error ? error.message : String(error);
    const text = `This step failed by itself (${why}). Run it again, and report this line if it stays.`;
    return { name, state: 'failed', code: 'STEP_FAILED', text };
  } finally {
    clearTimeout(timer);
  }
}

const skipped = (name: DoctorStep): DoctorLine => ({
  name,
  state: 'skipped',
  code: null,
  text: 'Not looked at: a step before it failed.',
});
