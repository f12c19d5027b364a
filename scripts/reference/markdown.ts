/** A Markdown table; cells are escaped so that a `|` in a pattern does not open a column. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

export const code = (text: string): string => `\`${text}\``;

export const page = (title: string, about: string, ...parts: string[]): string =>
  `# ${title}\n\n${about} Made from the code by \`npm run reference\`; do not edit.\n\n${parts.join('\n\n')}\n`;
