import { ROUTES } from './table.ts';

const PATTERNS = Object.values(ROUTES).map(({ method, url }) => ({ method, segments: url.split('/') }));

/** The methods some route takes at this path, sorted; none when there is nothing at it. */
export function methodsAt(path: string): string[] {
  const segments = path.split('/');
  const methods = PATTERNS.filter((pattern) => fits(pattern.segments, segments)).map(({ method }) => method);
  return [...new Set<string>(methods)].sort();
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((one, i) => (one.startsWith(':') ? segments[i] !== '' : one === segments[i]));
}
