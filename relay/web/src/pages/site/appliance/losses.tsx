import type { Appliance } from '../../../api/types.ts';
import { formatCount } from '../../../clock/format.ts';
import { TimeAgo } from '../../../components/time-ago.tsx';
import { LOSSES } from '../../../words/losses.ts';
import css from './queue-lanes.module.css';

/** What nobody will get any more: as the box counts it, and as the relay noted it. */
export function Losses({ losses, absentRows }: Pick<Appliance, 'losses' | 'absentRows'>) {
  if (losses.length === 0 && absentRows.length === 0)
    return <p className="dim">Nothing is known to be missing on the way from this box.</p>;
  return (
    <table className={css.lanes}>
      <caption>Known to be missing</caption>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">What</th>
          <th scope="col">Why</th>
          <th scope="col">How much</th>
        </tr>
      </thead>
      <tbody>
        {losses.map(({ what, code, events, rows, lastAtMs }) => (
          <tr key={`${what} ${code}`} data-waiting>
            <th scope="row">{what}</th>
            <td>
              {LOSSES[code]}, last <TimeAgo atMs={lastAtMs} />
            </td>
            <td>{rows > 0 ? formatCount(rows) : events === 1 ? 'once' : `${formatCount(events)} times`}</td>
          </tr>
        ))}
        {absentRows.map(({ lane, rows, refused, lastAtMs }) => (
          <tr key={lane} data-waiting>
            <th scope="row">{lane}</th>
            <td>
              noted by the relay: rows that never came{refused > 0 && `, ${formatCount(refused)} of them refused here`},
              last <TimeAgo atMs={lastAtMs} />
            </td>
            <td>{formatCount(rows)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
