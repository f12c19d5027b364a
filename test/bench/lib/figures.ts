import type { Figure } from '../benches.ts';

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) throw new Error('no round was measured');
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Four significant digits: more would be noise. */
export const rounded = (value: number): number => Number(value.toPrecision(4));

export interface Rounds {
  name: string;
  unit: string;
  values: readonly number[];
  controls: readonly number[];
  note?: string;
}

/** Medians of both sides; the ratio is theirs. */
export function figureOf({ name, unit, values, controls, note }: Rounds): Figure {
  const value = median(values);
  const control = median(controls);
  const text = [note, `${values.length} rounds in turn`].filter(Boolean).join('; ');
  return { name, value: rounded(value), unit, control: rounded(control), ratio: rounded(value / control), note: text };
}
