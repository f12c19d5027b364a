// `npm run fleet-sim`: a relay under a simulated fleet. See scripts/fleet-sim/options.ts for its arguments.
import { claimFleet } from './fleet-sim/fleet.ts';
import { createHttpClient } from './fleet-sim/http.ts';
import { live } from './fleet-sim/life.ts';
import { type FleetOptions, HELP, parseOptions } from './fleet-sim/options.ts';
import { startOwnRelay } from './fleet-sim/own-relay.ts';
import { createTally, type FleetReport } from './fleet-sim/tally.ts';
import { signIn } from './lib/staff-client.ts';

const SAMPLE_MS = 1000;

// Progress goes to stderr: with --json stdout carries the one line and nothing else.
const say = (text: string) => process.stderr.write(`${text}\n`);
const options = readOptions();
const stop = new AbortController();
let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    isInterrupted = true;
    stop.abort();
  });
}

try {
  const report = await simulate(options);
  if (options.isJson) process.stdout.write(`${JSON.stringify(report)}\n`);
  else print(report);
  process.exitCode = isInterrupted ? 130 : 0;
} catch (error) {
  say(`fleet-sim failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

type Report = FleetReport & { relay: string; relayRssMb: { start: number; peak: number; end: number } | null };

async function simulate({ appliances, minutes, intervalMs, relay }: FleetOptions): Promise<Report> {
  const own = relay === undefined ? await startOwnRelay() : undefined;
  const { url, signInLink } = relay ?? own!;
  const http = createHttpClient(url);
  try {
    const staff = await signIn(url, signInLink);
    const every = Math.max(1, Math.floor(appliances / 10));
    const boxes = await claimFleet({
      staff,
      http,
      count: appliances,
      signal: stop.signal,
      onProgress: (done) => done % every === 0 && say(`${done} of ${appliances} boxes are claimed`),
    });
    say(`${boxes.length} boxes check in for ${minutes} minutes`);
    const tally = createTally();
    const memory = watchMemory(() => own?.rssMb());
    const fromMs = performance.now();
    const end = setTimeout(() => stop.abort(), minutes * 60_000);
    await Promise.all(boxes.map((box) => live(box, { intervalMs, tally, signal: stop.signal, random: Math.random })));
    clearTimeout(end);
    const report = tally.report(boxes.length, { fromMs, toMs: performance.now() });
    return { ...report, relay: url, relayRssMb: memory.stop() };
  } finally {
    http.close();
    await own?.close();
  }
}

function watchMemory(read: () => number | undefined) {
  const samples: number[] = [];
  const sample = () => {
    const value = read();
    if (value !== undefined) samples.push(value);
  };
  sample();
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    stop(): Report['relayRssMb'] {
      clearInterval(timer);
      sample();
      const [start] = samples;
      if (start === undefined) return null;
      return { start, peak: samples.reduce((most, one) => Math.max(most, one), 0), end: samples.at(-1) ?? start };
    },
  };
}

function print(report: Report): void {
  const { checkins, latencyMs, arrivalsPerS, rows, relayRssMb } = report;
  const list = (codes: Record<string, number>) =>
    Object.entries(codes)
      .map(([code, many]) => `${code} ${many}`)
      .join(', ') || 'none';
  console.log(`relay        ${report.relay}`);
  console.log(`boxes        ${report.appliances} for ${report.seconds} s`);
  console.log(
    `check-ins    ${checkins.sent} sent, ${checkins.answered} answered, ${checkins.refused} refused (${list(checkins.refusals)})`,
  );
  console.log(
    `latency      p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, p99 ${latencyMs.p99} ms, longest ${latencyMs.max} ms`,
  );
  console.log(
    `arrivals     mean ${arrivalsPerS.mean}/s, peak ${arrivalsPerS.peak}/s, peak to mean ${arrivalsPerS.peakToMean}`,
  );
  console.log(
    `rows         ${rows.evidence} evidence, ${rows.telemetry} telemetry, ${rows.checkpointsCosigned} checkpoints cosigned; failed ${list(rows.failures)}`,
  );
  console.log(
    `relay memory ${relayRssMb === null ? 'not known' : `${relayRssMb.start} MB at first, ${relayRssMb.peak} MB at most, ${relayRssMb.end} MB at the end`}`,
  );
}

function readOptions(): FleetOptions {
  try {
    const parsed = parseOptions(process.argv.slice(2));
    if (!parsed.isHelp) return parsed;
    console.log(HELP);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}
