const FORM = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/** By the order of semver.org: below 0, 0 or above. Undefined when one of the two is no such version. */
export function compareVersions(one: string, other: string): number | undefined {
  const [a, b] = [FORM.exec(one), FORM.exec(other)];
  if (a === null || b === null) return undefined;
  for (const at of [1, 2, 3]) {
    const order = Number(a[at]) - Number(b[at]);
    if (order !== 0) return order;
  }
  if (a[4] === undefined || b[4] === undefined) return Number(a[4] === undefined) - Number(b[4] === undefined);
  return comparePre(a[4].split('.'), b[4].split('.'));
}

function comparePre(one: readonly string[], other: readonly string[]): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const [a, b] = [one[at], other[at]];
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
    if (a === b) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
    if (isNumber && isOtherNumber) return Number(a) - Number(b);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return a < b ? -1 : 1;
  }
  return 0;
}
