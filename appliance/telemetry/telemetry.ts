import type { Facts } from '@sitewarden/agent-proto/agent';
import { isClockSynced } from './clock-quality.ts';
import { type DiskSpace, diskSpace } from './disk.ts';
import { hostFacts } from './host-facts.ts';
import { within } from './within.ts';

export interface HostSnapshot {
  readonly facts: Facts;
  /** Of the data folder; zeros when it cannot be asked. */
  readonly disk: DiskSpace;
  readonly isClockSynced: boolean;
  /** Wall time. */
  readonly takenAtMs: number;
}

export interface Telemetry {
  /** At most 15 s old. Never rejects. */
  snapshot(): Promise<HostSnapshot>;
}

const CACHE_MS = 15_000;
const DISK_TIMEOUT_MS = 5000;

/** Reads sensors only when somebody asks, and for all who ask at once only once. */
export function createTelemetry({
  clock,
  config,
}: {
  readonly clock: { nowMs(): number; monotonicMs(): number };
  readonly config: { readonly dataDir: string };
}): Telemetry {
  let cached: { snapshot: Promise<HostSnapshot>; atMs: number } | undefined;

  async function take(): Promise<HostSnapshot> {
    const takenAtMs = clock.nowMs();
    const [facts, disk, isSynced] = await Promise.all([
      hostFacts(config.dataDir),
      within(diskSpace(config.dataDir), DISK_TIMEOUT_MS),
      isClockSynced(),
    ]);
    return { facts, disk: disk ?? { totalBytes: 0, freeBytes: 0 }, isClockSynced: isSynced, takenAtMs };
  }

  return {
    snapshot() {
      const nowMs = clock.monotonicMs();
      if (cached === undefined || nowMs - cached.atMs > CACHE_MS) cached = { snapshot: take(), atMs: nowMs };
      return cached.snapshot;
    },
  };
}
