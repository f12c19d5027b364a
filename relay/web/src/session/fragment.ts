import { keepScanned } from './scanned-claim';

/**
 * Secrets come in the fragment of a link, which no server sees. They leave the address bar before anything is drawn,
 * so that neither history, a screenshot nor a shared link carries them on.
 */
export function takeFragment(): string | null {
  const { hash, pathname, search } = globalThis.location;
  if (hash.length < 2) return null;
  globalThis.history.replaceState(globalThis.history.state, '', pathname + search);
  return hash.slice(1);
}

const first: { path: string; fragment: string | null } = { path: '', fragment: null };

/** Takes what the page's first address carries, before the router sees it. */
export function keepFirstFragment(): void {
  const { pathname } = globalThis.location;
  if (pathname !== '/claim' && pathname !== '/sign-in' && pathname !== '/code') return;
  const fragment = takeFragment();
  if (fragment === null) return;
  // The claim outlives the sign-in that may come between, even when that replaces the page.
  if (pathname === '/claim') keepScanned(fragment);
  else Object.assign(first, { path: pathname, fragment });
}

/** The fragment the page was opened with at `path`; only the first call gets it. */
export function firstFragment(path: string): string | null {
  if (first.path !== path) return null;
  const { fragment } = first;
  first.fragment = null;
  return fragment;
}
