/** One object of the operating system: property names and values as its provider gives them. */
export type Row = Readonly<Record<string, unknown>>;

/** Why a section has no rows. Each of them is told apart by codes, never by words, which Windows translates. */
export type SectionProblem =
  /** This Windows has no such namespace or class: the feature is not part of it. */
  | 'not_there'
  | 'denied'
  /** The provider answers only while its service runs. */
  | 'service_off'
  | 'no_command'
  | 'late'
  /** Neither PowerShell nor wmic could be run. */
  | 'no_tool'
  | 'odd_answer'
  | 'failed';

export type SectionAnswer =
  | { readonly ok: true; readonly source: 'powershell' | 'wmic' | 'registry'; readonly rows: readonly Row[] }
  | { readonly ok: false; readonly problem: SectionProblem; readonly code: string };

export const failedAnswer = (problem: SectionProblem, code = ''): SectionAnswer => ({ ok: false, problem, code });

const PROBLEM_OF_CODE: Readonly<Record<string, SectionProblem>> = {
  '80041003': 'denied',
  '80070005': 'denied',
  '80338104': 'denied',
  '8004100e': 'not_there',
  '80041010': 'not_there',
  '80041002': 'not_there',
  '80041013': 'not_there',
  '80041011': 'not_there',
  '800106ba': 'service_off',
  '80070422': 'service_off',
  '80070426': 'service_off',
  '800706ba': 'service_off',
};

/** `HRESULT 0x8004100e,Microsoft...GetCimInstanceCommand`, or the number wmic ends with. */
export function problemOfCode(text: string): { problem: SectionProblem; code: string } {
  const code = /0x([0-9a-f]{8})/i.exec(text)?.[1]?.toLowerCase() ?? '';
  return { problem: PROBLEM_OF_CODE[code] ?? 'failed', code };
}

/** By the class of the error, by its code, by its category: in this order, since the class says most. */
export function problemOfError(error: Row): { problem: SectionProblem; code: string } {
  const id = String(error.id ?? '');
  if (/^CommandNotFoundException/.test(id)) return { problem: 'no_command', code: 'CommandNotFound' };
  const byCode = problemOfCode(id);
  if (byCode.code !== '' && byCode.problem !== 'failed') return byCode;
  const hresult = Number(error.hresult);
  const found = Number.isInteger(hresult) ? problemOfCode(hexOf(hresult)) : byCode;
  if (found.problem !== 'failed') return found;
  if (error.category === 'PermissionDenied') return { problem: 'denied', code: found.code };
  if (error.native === 'InvalidNamespace' || error.native === 'InvalidClass') {
    return { problem: 'not_there', code: found.code };
  }
  return { problem: 'failed', code: byCode.code || found.code };
}

/** Exit codes are unsigned, HResults signed; both are the same 32 bits. */
export const hexOf = (code: number): string => `0x${(code >>> 0).toString(16).padStart(8, '0')}`;

/** wmic writes numbers as text, PowerShell as numbers. */
export function rowInteger(row: Row, name: string): number | undefined {
  const value = row[name];
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^-?\d{1,15}$/.test(value)
        ? Number(value)
        : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** wmic writes TRUE and FALSE in every language. */
export function rowFlag(row: Row, name: string): boolean | undefined {
  const value = row[name];
  if (typeof value === 'boolean') return value;
  return value === 'TRUE' ? true : value === 'FALSE' ? false : undefined;
}

export function rowText(row: Row, name: string): string | undefined {
  const value = row[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** undefined when it is no list. A list of one comes as itself, and Windows PowerShell wraps some in value and Count. */
export function rowList(row: Row, name: string): readonly unknown[] | undefined {
  const value = row[name];
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && 'value' in value && 'Count' in value) {
    return Array.isArray(value.value) ? value.value : [value.value];
  }
  return typeof value === 'object' ? undefined : [value];
}
