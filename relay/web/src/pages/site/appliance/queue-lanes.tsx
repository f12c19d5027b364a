import type { Appliance } from '../../../api/types.ts';
import { formatCount, formatDuration } from '../../../clock/format.ts';
import { TimeAgo } from '../../../components/time-ago.tsx';
import css from './queue-lanes.module.css';

const LANES = ['evidence', 'receipts', 'incidents', 'telemetry'] as const;

/** What waits on the box to be sent, as it said at its last check-in. */
export function QueueLanes({ lanes, asOfMs }: { lanes: Appliance['lanes']; asOfMs: number | null }) {
  return (
    <table className={css.lanes}>
      <caption>
        Waiting on the box
        {asOfMs !== null && (
          <span className="dim">
            , told <TimeAgo atMs={asOfMs} />
          </span>
        )}
      </caption>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">Lane</th>
          <th scope="col">Rows</th>
          <th scope="col">Oldest</th>
        </tr>
      </thead>
      <tbody>
        {LANES.map((lane) => (
          <tr key={lane} data-waiting={lanes[lane].depth > 0}>
            <th scope="row">{lane}</th>
            <td>{formatCount(lanes[lane].depth)}</td>
            <td>{lanes[lane].depth > 0 ? `oldest ${formatDuration(lanes[lane].oldestAgeMs)}` : 'empty'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
