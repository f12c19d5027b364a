import { relayErrors } from '../errors.ts';

/** No blanks at the ends, nothing invisible, nothing that turns the text around; as a JSON schema takes it. */
export const NAME_PATTERN = '^(?!\\s)[^\\p{C}\\u2028\\u2029]*[^\\s\\p{C}]$';
export const NAME_WORDS = 'text without blanks at its ends and without control or invisible characters';
const NAME = new RegExp(NAME_PATTERN, 'u');

/** Throws `code` naming the field when a person could not read the text as a name. */
export function assertName(text: string, field: string, code: 'BODY_INVALID' | 'CONFIG_INVALID'): void {
  if (text.length <= 120 && NAME.test(text)) return;
  const detail = 'A name has 1 to 120 characters, none of them invisible, and no blanks at its ends';
  throw relayErrors.make(code, { field, detail });
}
