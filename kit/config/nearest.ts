import { closest, distance } from 'fastest-levenshtein';
import type { SchemaNode } from './types.ts';

/** So many keys still fit a line that helps. */
const MAX_LISTED = 20;

export function nearestKey(key: string, schema: SchemaNode | undefined): string | undefined {
  const known = Object.keys(schema?.properties ?? {});
  const nearest = near(key, known);
  if (nearest !== undefined) return `did you mean \`${nearest}\`?`;
  return known.length > 0 && known.length <= MAX_LISTED ? `known keys: ${known.join(', ')}` : undefined;
}

export function nearestChoice(value: unknown, choices: readonly unknown[]): string | undefined {
  const words = choices.filter((choice) => typeof choice === 'string');
  const nearest = typeof value === 'string' ? near(value, words) : undefined;
  return nearest === undefined ? undefined : `did you mean \`${nearest}\`?`;
}

/** Nearer than half of what was written: further off a guess would mislead. Case, `-` and `_` do not count. */
function near(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || word.length > 100) return undefined;
  const folded = known.map(fold);
  const nearest = closest(fold(word), folded);
  const limit = Math.max(1, Math.floor(word.length / 2) - 1);
  return distance(fold(word), nearest) <= limit ? known[folded.indexOf(nearest)] : undefined;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, '');
}
