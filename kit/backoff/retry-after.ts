/** A peer may not silence a box for longer than this. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Milliseconds to wait by an HTTP Retry-After header (whole seconds or an HTTP date, RFC 9110), 0..1 h; undefined when
 * there is none or it says neither. A date in the past is 0. `nowMs` is wall time.
 */
export function parseRetryAfter(header: string | null | undefined, nowMs: number): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  if (!/^[A-Z][a-z]{2,8}, /.test(text) && !/^[A-Z][a-z]{2} [A-Z][a-z]{2} /.test(text)) return undefined;
  const at = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`);
  if (Number.isNaN(at)) return undefined;
  return Math.min(Math.max(0, at - nowMs), MAX_RETRY_AFTER_MS);
}
