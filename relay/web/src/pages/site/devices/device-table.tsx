import type { Device } from '../../../api/types.ts';
import { TimeAgo } from '../../../components/time-ago.tsx';
import css from './devices.module.css';

export function DeviceTable({ devices }: { devices: readonly Device[] }) {
  return (
    <table className={css.table}>
      <thead>
        <tr>
          <th scope="col">Device</th>
          <th scope="col">Address</th>
          <th scope="col">Services</th>
          <th scope="col">First seen</th>
          <th scope="col">Last seen</th>
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => (
          <tr key={device.id}>
            <th scope="row" title={`Seen by ${device.probes.join(', ') || 'no probe'}`}>
              {device.name ?? <span className="dim">No name</span>}
            </th>
            <td data-label="Address">
              {device.addresses.join(', ') || <span className="dim">none</span>}
              <span className={css.mac}>{device.mac ?? device.network}</span>
            </td>
            <td data-label="Services">{device.services.join(', ') || <span className="dim">none seen</span>}</td>
            <td data-label="First seen">
              <TimeAgo atMs={device.firstSeenMs} quiet />
            </td>
            <td data-label="Last seen">
              <TimeAgo atMs={device.lastSeenMs} quiet />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
