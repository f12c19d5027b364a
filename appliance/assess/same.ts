import type { Facts } from '@sitewarden/agent-proto/agent';

/** As deep equality says, several times as fast: this runs for every result that comes in. */
export function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The order of the names does not count. */
export function sameFacts(a: Facts, b: Facts): boolean {
  if (a === b) return true;
  let count = 0;
  for (const name in a) {
    count++;
    const [left, right] = [a[name], b[name]];
    if (left === right && (left !== undefined || Object.hasOwn(b, name))) continue;
    if (!Array.isArray(left) || !Array.isArray(right) || !sameTexts(left, right)) return false;
  }
  for (const _name in b) count--;
  return count === 0;
}
