import type { Quarantine } from '../../api/types.ts';
import { TimeAgo } from '../../components/time-ago.tsx';
import css from './quarantine.module.css';

/** One column a machine: where it is, since when, and what tells it from the other. */
export function MachineTable({ data: { machines, differences } }: { data: Quarantine }) {
  if (machines.length < 2)
    return (
      <p className="dim">
        Only one machine was told apart so far. A copy on the same machine, or behind the same start of the system,
        looks the same from here; look for a second data folder or a cloned disk.
      </p>
    );
  return (
    <table className={css.table}>
      <thead>
        <tr>
          <td />
          {machines.map(({ bootId, address }, index) => (
            <th key={`${bootId} ${address}`} scope="col">
              Machine {index + 1}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        <Row name="Name of the host" values={machines.map(({ hostname }) => hostname || 'not told')} />
        <Row name="Address" values={machines.map(({ address }) => address || 'not known')} />
        <tr>
          <th scope="row">First seen</th>
          {machines.map(({ bootId, address, firstSeenMs }) => (
            <td key={`${bootId} ${address}`}>
              <TimeAgo atMs={firstSeenMs} />
            </td>
          ))}
        </tr>
        <tr>
          <th scope="row">Last heard</th>
          {machines.map(({ bootId, address, lastSeenMs }) => (
            <td key={`${bootId} ${address}`}>
              <TimeAgo atMs={lastSeenMs} />
            </td>
          ))}
        </tr>
        {differences
          .filter(({ name }) => name !== 'hostname')
          .map(({ name, values }) => (
            <Row key={name} name={name.replaceAll('_', ' ')} values={values.map((value) => value || 'not told')} />
          ))}
      </tbody>
    </table>
  );
}

function Row({ name, values }: { name: string; values: string[] }) {
  const cells = values.map((value, index) => ({ value, id: `${name}-${index}` }));
  return (
    <tr>
      <th scope="row">{name}</th>
      {cells.map(({ value, id }) => (
        <td key={id}>{value}</td>
      ))}
    </tr>
  );
}
