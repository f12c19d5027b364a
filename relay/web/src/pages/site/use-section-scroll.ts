import { useEffect } from 'react';

/** `/sites/x/devices` is the site's page, read from its devices on. Their heading gets the focus. */
export function useSectionScroll(section: string | undefined, isReady: boolean): void {
  useEffect(() => {
    if (!section || !isReady) return;
    const target = document.getElementById(section);
    if (!target) return;
    target.scrollIntoView({ block: 'start' });
    document.getElementById(`${section}-title`)?.focus({ preventScroll: true });
  }, [section, isReady]);
}
