import type { ReactNode } from 'react';
import css from './fact-grid.module.css';

export interface FactRow {
  name: string;
  value: ReactNode;
}

export function FactGrid({ rows }: { rows: FactRow[] }) {
  return (
    <dl className={css.grid}>
      {rows.map((row) => (
        <div key={row.name} className={css.row}>
          <dt>{row.name}</dt>
          <dd>{row.value}</dd>
        </div>
      ))}
    </dl>
  );
}
