const PLAIN = /^[\x20-\x7e]*$/;
/** Characters that break lines or end texts: control characters, line and paragraph separators. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** Characters nobody sees: direction marks and overrides, zero-width ones, fillers, tags. */
const UNSEEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Words of a workstation as people may be shown them: what is written is what is read, in the order it is written. The
 * same text back when it was clean, which is nearly always.
 */
export function cleanText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.toWellFormed().replace(UNSEEN, '').replace(BREAKS, ' ');
}
