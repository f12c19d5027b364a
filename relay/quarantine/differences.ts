import type { CheckinRequest } from '@sitewarden/agent-proto/http';

export interface Difference {
  /** In words a person knows. */
  readonly name: string;
  /** One a machine, in their order; empty where it said nothing. */
  readonly values: string[];
}

/** What changes from one check-in to the next says nothing about which machine it is. */
const FLEETING = /^(uptime|cpu_usage|memory_used|disk_used|process_count|load)/;
const MAX_CHARS = 200;

function traits({
  versions,
  telemetry,
  agents,
  devices,
  evidence,
  disk,
  clock,
}: CheckinRequest): Record<string, string> {
  const lasting = Object.entries(telemetry).filter(([name]) => !FLEETING.test(name));
  return {
    'Appliance version': versions.appliance,
    'Operating system': versions.os,
    'Node version': versions.node,
    'Disk size in bytes': String(disk.totalBytes),
    'Agents known': String(agents.total),
    'Devices seen': String(devices),
    'Evidence entries': String(evidence.size),
    'State of the clock': clock.quality,
    ...Object.fromEntries(
      lasting.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]),
    ),
  };
}

/** What tells the machines apart; pure. */
export function differencesOf(bodies: readonly CheckinRequest[]): Difference[] {
  const all = bodies.map(traits);
  const names = [...new Set(all.flatMap((one) => Object.keys(one)))];
  return names
    .map((name) => ({ name, values: all.map((one) => (one[name] ?? '').slice(0, MAX_CHARS)) }))
    .filter(({ values }) => new Set(values).size > 1);
}
