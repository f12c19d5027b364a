import { useCallback, useEffect, useRef } from 'react';
import { useSearchParams } from 'react-router';

/** Values to be set; empty or null ones leave the address. */
export type UrlChange = Readonly<Record<string, string | null | undefined>>;

/** What a page keeps in its address, so that a link shows another person the same. */
export function useUrlValues(): [URLSearchParams, (change: UrlChange) => void] {
  const [params, setParams] = useSearchParams();
  // A second change may come before the first is drawn: it is made to what was asked for last, not to what is seen.
  const latest = useRef(params);
  useEffect(() => {
    latest.current = params;
  }, [params]);
  const change = useCallback(
    (next: UrlChange) => {
      const merged = new URLSearchParams(latest.current);
      for (const [name, value] of Object.entries(next)) {
        if (value) merged.set(name, value);
        else merged.delete(name);
      }
      latest.current = merged;
      setParams(merged, { replace: true, preventScrollReset: true });
    },
    [setParams],
  );
  return [params, change];
}
