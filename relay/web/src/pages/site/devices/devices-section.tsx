import { useQuery } from '@tanstack/react-query';
import { devicesQuery } from '../../../api/queries/site.ts';
import { plural } from '../../../clock/format.ts';
import { EmptyState } from '../../../components/empty-state.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { ShortList } from '../../../components/short-list.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { DeviceTable } from './device-table.tsx';

/** What is on the network? */
export function DevicesSection({ siteId }: { siteId: string }) {
  const devices = useQuery(devicesQuery(siteId));
  return (
    <Section
      id="devices"
      title="Devices"
      aside={devices.data && devices.data.devices.length > 0 && `${plural(devices.data.devices.length, 'device')} seen`}
    >
      <Loaded query={devices} what="The devices" skeleton={<RowsSkeleton rows={4} height={36} />}>
        {(list) =>
          list.devices.length === 0 ? (
            <EmptyState small icon="signal" title="No device was seen yet">
              The box looks at its private networks and reports what it finds. Where it has none, name an interface in
              discovery.interfaces of its configuration.
            </EmptyState>
          ) : (
            <ShortList items={list.devices} shown={15} noun="device">
              {(shown) => <DeviceTable devices={shown} />}
            </ShortList>
          )
        }
      </Loaded>
    </Section>
  );
}
