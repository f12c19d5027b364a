import css from './skeletons.module.css';

const ROWS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];

/** Grey lines where rows will be. */
export function RowsSkeleton({ rows = 4, height = 44 }: { rows?: number; height?: number }) {
  return (
    <div className={css.rows}>
      <span className="visually-hidden">Loading</span>
      {ROWS.slice(0, rows).map((row) => (
        <div key={row} className={css.bar} style={{ height }} />
      ))}
    </div>
  );
}
