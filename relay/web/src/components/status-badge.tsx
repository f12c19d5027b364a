import type { FleetStatus, Health } from '../api/types.ts';
import { formatDuration } from '../clock/format.ts';
import { useRelayTime } from '../clock/use-relay-time.ts';
import { FLEET, HEALTH } from '../words/status.ts';
import { Tag } from './tag.tsx';

interface FleetProps {
  status: FleetStatus;
  /** Relay time of the answer the status came in: its age counts on from there. */
  asOfMs: number;
  bare?: boolean;
}

/** Live status of a box or an agent: value and age, the reason on hover. */
export function StatusBadge({ status, asOfMs, bare }: FleetProps) {
  const { value, ageMs, reason } = status;
  const age = useRelayTime((nowMs) =>
    ageMs === null ? null : formatDuration(ageMs + Math.max(0, (nowMs ?? asOfMs) - asOfMs)),
  );
  return (
    <Tag sign={FLEET[value]} title={reason} bare={bare}>
      {age === null ? undefined : age}
    </Tag>
  );
}

/** Health of a site; its reason belongs beside it as text. */
export function HealthBadge({ health, reason }: { health: Health; reason: string }) {
  return <Tag sign={HEALTH[health]} title={reason} />;
}
