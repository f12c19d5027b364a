import { type KeyboardEvent, useCallback, useMemo, useRef, useState } from 'react';

/**
 * Which of the listed rows are selected: what a filter hides is not. Shift selects from the last one touched; the arrow
 * keys go from row to row.
 */
export function useSelection(listed: readonly string[]) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | null>(null);
  const current = useRef(listed);
  current.current = listed;
  const selected = useMemo(() => new Set(listed.filter((id) => chosen.has(id))), [listed, chosen]);

  const select = useCallback((id: string, isSelected: boolean, isRange: boolean) => {
    const from = isRange && last.current !== null ? current.current.indexOf(last.current) : -1;
    const to = current.current.indexOf(id);
    const ids = from < 0 ? [id] : current.current.slice(Math.min(from, to), Math.max(from, to) + 1);
    last.current = id;
    setChosen((before) => {
      const after = new Set(before);
      for (const each of ids) {
        if (isSelected) after.add(each);
        else after.delete(each);
      }
      return after;
    });
  }, []);
  const selectAll = useCallback((isSelected: boolean) => setChosen(new Set(isSelected ? current.current : [])), []);

  const onKeyDown = useCallback(
    (event: KeyboardEvent<HTMLElement>) => {
      const id = event.target instanceof HTMLInputElement ? event.target.dataset.select : undefined;
      if (id === undefined || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return;
      event.preventDefault();
      const boxes = [...event.currentTarget.querySelectorAll<HTMLInputElement>('input[data-select]')];
      const at = boxes.findIndex((box) => box.dataset.select === id);
      const next = boxes[at + (event.key === 'ArrowDown' ? 1 : -1)];
      if (!next?.dataset.select) return;
      if (event.shiftKey) {
        const isOn = boxes[at]?.checked === true;
        select(id, isOn, false);
        select(next.dataset.select, isOn, false);
      }
      next.focus();
    },
    [select],
  );
  return { selected, select, selectAll, onKeyDown };
}
