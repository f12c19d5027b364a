export interface FleetReport {
  appliances: number;
  /** Of the check-ins; setting up is not in it. */
  seconds: number;
  checkins: { sent: number; answered: number; refused: number; refusals: Record<string, number> };
  latencyMs: { p50: number; p95: number; p99: number; max: number };
  /** Check-ins that arrived in one second. */
  arrivalsPerS: { mean: number; peak: number; peakToMean: number };
  rows: { evidence: number; telemetry: number; checkpointsCosigned: number; failures: Record<string, number> };
}

export interface Tally {
  sent(atMs: number): void;
  answered(latencyMs: number): void;
  refused(code: string): void;
  pushed(lane: 'evidence' | 'telemetry', rows: number): void;
  cosigned(): void;
  failedPush(code: string): void;
  report(appliances: number, span: { fromMs: number; toMs: number }): FleetReport;
}

export function createTally(): Tally {
  const sentAtMs: number[] = [];
  const latencies: number[] = [];
  const refusals: Record<string, number> = {};
  const failures: Record<string, number> = {};
  const rows = { evidence: 0, telemetry: 0, checkpointsCosigned: 0 };
  const count = (into: Record<string, number>, code: string) => {
    into[code] = (into[code] ?? 0) + 1;
  };
  return {
    sent: (atMs) => void sentAtMs.push(atMs),
    answered: (latencyMs) => void latencies.push(latencyMs),
    refused: (code) => count(refusals, code),
    pushed(lane, many) {
      rows[lane] += many;
    },
    cosigned() {
      rows.checkpointsCosigned += 1;
    },
    failedPush: (code) => count(failures, code),
    report(appliances, { fromMs, toMs }) {
      const sorted = latencies.toSorted((a, b) => a - b);
      const refused = Object.values(refusals).reduce((sum, many) => sum + many, 0);
      return {
        appliances,
        seconds: rounded((toMs - fromMs) / 1000),
        checkins: { sent: sentAtMs.length, answered: latencies.length, refused, refusals },
        latencyMs: {
          p50: rounded(quantile(sorted, 0.5)),
          p95: rounded(quantile(sorted, 0.95)),
          p99: rounded(quantile(sorted, 0.99)),
          max: rounded(sorted.at(-1) ?? 0),
        },
        arrivalsPerS: arrivals(sentAtMs, fromMs, toMs),
        rows: { ...rows, failures },
      };
    },
  };
}

/** Nearest rank; 0 of nothing. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Whole seconds only: a part of one would make the mean smaller than it is. */
export function arrivals(atMs: readonly number[], fromMs: number, toMs: number): FleetReport['arrivalsPerS'] {
  const seconds = Math.max(1, Math.floor((toMs - fromMs) / 1000));
  const perSecond = new Array<number>(seconds).fill(0);
  for (const ms of atMs) {
    const second = Math.floor((ms - fromMs) / 1000);
    if (second >= 0 && second < seconds) perSecond[second]! += 1;
  }
  const mean = perSecond.reduce((sum, many) => sum + many, 0) / seconds;
  const peak = perSecond.reduce((most, many) => Math.max(most, many), 0);
  return { mean: rounded(mean), peak, peakToMean: mean === 0 ? 0 : rounded(peak / mean) };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
