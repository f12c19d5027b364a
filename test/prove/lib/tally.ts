/** What a proof tried, and what went wrong. */
export interface Tally {
  cases: number;
  readonly faults: string[];
}

export const newTally = (): Tally => ({ cases: 0, faults: [] });

export function check(tally: Tally, isKept: boolean, fault: string): void {
  tally.cases += 1;
  if (!isKept) tally.faults.push(fault);
}
