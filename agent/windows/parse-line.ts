import { problemOfError, type Row, type SectionAnswer } from './answers.ts';
import { isSectionName, type SectionName } from './sections.ts';

/** One line of the script's output; undefined for anything else that programs started by a profile may print. */
export function parseLine(line: string): { section: SectionName; answer: SectionAnswer } | undefined {
  if (!line.startsWith('{"s":')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { s: section, d: data, e: error } = value as { s?: unknown; d?: unknown; e?: unknown };
  if (typeof section !== 'string' || !isSectionName(section)) return undefined;
  if (isRow(error)) return { section, answer: { ok: false, ...problemOfError(error) } };
  const rows = rowsOf(data);
  return {
    section,
    answer:
      rows === undefined ? { ok: false, problem: 'odd_answer', code: '' } : { ok: true, source: 'powershell', rows },
  };
}

/** Windows PowerShell 5.1 writes some lists as {"value":[...],"Count":n}, and some lists of one as the one. */
function rowsOf(data: unknown): Row[] | undefined {
  if (data === null) return [];
  if (Array.isArray(data)) return data.every(isRow) ? data : undefined;
  if (!isRow(data)) return undefined;
  return 'Count' in data && 'value' in data ? rowsOf(data.value) : [data];
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);
