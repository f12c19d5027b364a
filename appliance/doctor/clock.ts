import { builtAtMs } from '../lib/version.ts';
import { Finding, type Patient } from './types.ts';

/** Signatures are refused beyond it. */
const MAX_OFFSET_MS = 300_000;

/** Is it the right time: by the relay's answer, by its certificate, or at least after this program was made. */
export async function examineClock({ relayDate, certificate, nowMs }: Patient): Promise<string> {
  const now = nowMs();
  const theirs = relayDate === undefined ? Number.NaN : Date.parse(relayDate);
  if (!Number.isNaN(theirs)) {
    const offsetMs = theirs - now;
    if (Math.abs(offsetMs) <= MAX_OFFSET_MS) return 'The clock agrees with the relay.';
    throw wrong(`${spanOf(Math.abs(offsetMs))} ${offsetMs > 0 ? 'behind' : 'ahead of'} the relay`);
  }
  if (certificate !== undefined) {
    const { fromMs, toMs } = certificate;
    if (now < fromMs) throw wrong(`at least ${spanOf(fromMs - now)} behind`);
    if (now > toMs) throw wrong(`at least ${spanOf(now - toMs)} ahead, or the relay's certificate has run out`);
  }
  const builtMs = builtAtMs();
  if (builtMs !== undefined && now < builtMs) throw wrong(`at least ${spanOf(builtMs - now)} behind`);
  return 'The clock is not against anything known; the relay was not there to compare with.';
}

function wrong(by: string): Finding {
  return new Finding(
    'CLOCK_WRONG',
    `The clock is ${by}. The box goes by the relay's time once it hears of it; set the clock or let NTP (UDP 123) through. If it is right, tell whoever runs the relay.`,
  );
}

/** `3 minutes`, `2 hours`, `20649 days`. */
export function spanOf(ms: number): string {
  for (const [unit, size] of [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const) {
    const count = Math.round(ms / size);
    if (count >= 2 || (count === 1 && unit === 'minute')) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return `${Math.floor(ms / 1000)} seconds`;
}
