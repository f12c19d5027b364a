import type { Row } from './answers.ts';

/**
 * Output of `wmic ... get A,B /value`: `Name=Value` lines, an object ends where a name comes again. Windows writes
 * \r\r\n after each. Wine answers the same question with a table, names in the first line above their columns.
 */
export function parseWmic(text: string, names: readonly string[]): Row[] {
  const lines = text.split('\n').map((line) => line.replace(/\r+$/, ''));
  const isList = lines.some((line) => names.some((name) => line.startsWith(`${name}=`)));
  return isList ? parseList(lines, names) : parseTable(lines, names);
}

function parseList(lines: readonly string[], names: readonly string[]): Row[] {
  const rows: Record<string, string>[] = [];
  let row: Record<string, string> = {};
  for (const line of lines) {
    const at = line.indexOf('=');
    const name = at < 0 ? undefined : names.find((one) => one === line.slice(0, at));
    if (name === undefined) continue;
    if (name in row) {
      rows.push(row);
      row = {};
    }
    row[name] = line.slice(at + 1);
  }
  if (Object.keys(row).length > 0) rows.push(row);
  return rows;
}

function parseTable(lines: readonly string[], names: readonly string[]): Row[] {
  const [head, ...body] = lines.filter((line) => line.trim() !== '');
  if (head === undefined) return [];
  const columns = [...head.matchAll(/\S+/g)].map(({ 0: name, index }) => ({ name, index }));
  if (!columns.every(({ name }) => names.includes(name))) return [];
  return body.map((line) =>
    Object.fromEntries(
      columns.map(({ name, index }, i) => [name, line.slice(index, columns[i + 1]?.index).trim()] as const),
    ),
  );
}
