import { keepScanned } from './scanned-claim.ts';

/**
 * Secrets come in the fragment of a link, which no server sees. They leave the address bar before anything is drawn,
 * so that neither history, a screenshot nor a shared link carries them on.
 */
const PATHS = ['/claim', '/sign-in', '/invite', '/code'];

const first: { path: string; fragment: string | null } = { path: '', fragment: null };
const listeners = new Set<(path: string, fragment: string) => void>();

function take(): { path: string; fragment: string } | null {
  const { hash, pathname: path, search } = globalThis.location;
  if (hash.length < 2 || !PATHS.includes(path)) return null;
  globalThis.history.replaceState(globalThis.history.state, '', path + search);
  const fragment = hash.slice(1);
  // The claim outlives the sign-in that may come between, even when that replaces the page.
  if (path === '/claim') keepScanned(fragment);
  return { path, fragment };
}

/** Takes what the page's first address carries, before the router sees it, and what later links into this tab carry. */
export function watchFragments(): void {
  Object.assign(first, take());
  globalThis.addEventListener('hashchange', () => {
    const taken = take();
    if (taken) for (const each of listeners) each(taken.path, taken.fragment);
  });
}

/** The fragment the page was opened with at `path`; only the first call gets it. */
export function firstFragment(path: string): string | null {
  if (first.path !== path) return null;
  const { fragment } = first;
  first.fragment = null;
  return fragment;
}

/** A link opened into a tab that already shows `path` changes the fragment only. Answers how to stop listening. */
export function onFragment(path: string, listener: (fragment: string) => void): () => void {
  const each = (at: string, fragment: string) => {
    if (at === path) listener(fragment);
  };
  listeners.add(each);
  return () => {
    listeners.delete(each);
  };
}
