import { forget, recall, remember } from './storage.ts';

const KEY = 'sitewarden.return';

/** Only a path of our own: `//host` and `/\host` would lead elsewhere. */
export const isOwnPath = (path: string | null): path is string => path !== null && /^\/(?![/\\])/.test(path);

export const signInPath = (wanted: string): string =>
  wanted === '/' ? '/sign-in' : `/sign-in?return=${encodeURIComponent(wanted)}`;

/** Survives a sign-in link opened in the same tab, which replaces the address. */
export function rememberReturn(path: string | null): void {
  if (isOwnPath(path)) remember(KEY, path);
}

export function takeReturn(): string {
  const path = recall(KEY);
  forget(KEY);
  return isOwnPath(path) ? path : '/';
}
