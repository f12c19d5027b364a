import type { Appliance, FleetStatus } from '../../../api/types.ts';
import { formatBytes } from '../../../clock/format.ts';
import { Actor } from '../../../components/actor.tsx';
import { Disclosure } from '../../../components/disclosure.tsx';
import { FactGrid } from '../../../components/fact-grid.tsx';
import { FactsList } from '../../../components/facts.tsx';
import { Section } from '../../../components/section.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { TimeAgo } from '../../../components/time-ago.tsx';
import { clockWords, DiskUse } from './appliance-words.tsx';
import { Losses } from './losses.tsx';
import { QueueLanes } from './queue-lanes.tsx';

interface ApplianceSectionProps {
  appliance: Appliance;
  status: FleetStatus;
  asOfMs: number;
}

export function ApplianceSection({ appliance, status, asOfMs }: ApplianceSectionProps) {
  const { versions, disk } = appliance;
  const lastCheckin = appliance.lastCheckinAtMs;
  return (
    <Section id="appliance" title="Appliance" aside={<StatusBadge status={status} asOfMs={asOfMs} />}>
      <FactGrid
        rows={[
          { name: 'Last check-in', value: lastCheckin === null ? 'never' : <TimeAgo atMs={lastCheckin} /> },
          { name: 'Serial', value: appliance.serial },
          { name: 'Model', value: appliance.model },
          { name: 'Version', value: versions.appliance || 'not reported yet' },
          { name: 'Disk', value: disk.totalBytes > 0 ? <DiskUse disk={disk} /> : 'not reported yet' },
          { name: 'Clock', value: lastCheckin === null ? 'not reported yet' : clockWords(appliance.clock) },
          { name: 'Config', value: configWords(appliance) },
          {
            name: 'Claimed',
            value: (
              <>
                <TimeAgo atMs={appliance.claimedAtMs} /> by <Actor actor={appliance.claimedBy} />
              </>
            ),
          },
        ]}
      />
      <QueueLanes lanes={appliance.lanes} asOfMs={lastCheckin} />
      {lastCheckin !== null && <Losses losses={appliance.losses} absentRows={appliance.absentRows} />}
      <Disclosure summary="Identity, host and software">
        <FactGrid
          rows={[
            { name: 'Appliance', value: <code>{appliance.id}</code> },
            { name: 'Device key', value: <code>{appliance.dikFingerprint}</code> },
            { name: 'Epoch of its log', value: appliance.epoch },
            { name: 'Operating system', value: versions.os || 'not reported yet' },
            { name: 'Node', value: versions.node || 'not reported yet' },
            { name: 'Disk free', value: formatBytes(disk.freeBytes) },
          ]}
        />
        <FactsList facts={appliance.telemetry} />
      </Disclosure>
    </Section>
  );
}

function configWords({ configGeneration: has, configWanted: wanted }: Appliance): string {
  if (has === wanted) return `generation ${has}, as set here`;
  return `generation ${has}; generation ${wanted} reaches the box with its next check-in`;
}
