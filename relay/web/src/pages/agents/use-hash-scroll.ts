import { useEffect } from 'react';
import { useLocation } from 'react-router';

/** `#tier` in the address: its heading comes into view and gets the focus, once the page has it. */
export function useHashScroll(): void {
  const { hash, key } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same link followed twice leads there twice
  useEffect(() => {
    const id = hash.slice(1);
    if (id === '') return;
    // After the frame: what a page does with the focus when it is opened comes first.
    const frame = requestAnimationFrame(() => {
      document.getElementById(id)?.scrollIntoView({ block: 'start' });
      document.getElementById(`${id}-title`)?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [hash, key]);
}
