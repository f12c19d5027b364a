import { Skeleton } from '@mantine/core';
import css from './skeletons.module.css';

const ROWS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];

/** Grey lines where rows will be. */
export function RowsSkeleton({ rows = 4, height = 44 }: { rows?: number; height?: number }) {
  return (
    <div className={css.rows}>
      <span className="visually-hidden">Loading</span>
      {ROWS.slice(0, rows).map((row) => (
        <Skeleton key={row} height={height} radius="sm" />
      ))}
    </div>
  );
}
