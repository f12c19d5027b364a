/** RFC 8785 canonical JSON, narrowed to values that survive every JSON implementation. */
export { canonicalBytes, parseCanonical } from './bytes.ts';
export { MAX_DEPTH } from './profile.ts';
