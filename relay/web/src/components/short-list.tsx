import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { plural } from '../clock/format.ts';
import css from './short-list.module.css';

interface ShortListProps<T> {
  items: readonly T[];
  shown: number;
  /** Singular name of a row: "device". */
  noun: string;
  children: (items: readonly T[]) => ReactNode;
}

/** The first rows, and all of them on request. Says how many there are. */
export function ShortList<T>({ items, shown, noun, children }: ShortListProps<T>) {
  const [isAll, setAll] = useState(false);
  const hidden = items.length - shown;
  return (
    <>
      {children(isAll ? items : items.slice(0, shown))}
      {hidden > 0 && (
        <div className={css.more}>
          <Button variant="default" size="xs" onClick={() => setAll(!isAll)} aria-expanded={isAll}>
            {isAll ? `Show the first ${shown}` : `Show all ${plural(items.length, noun)}`}
          </Button>
        </div>
      )}
    </>
  );
}
