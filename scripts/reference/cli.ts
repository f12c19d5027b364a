import { execFileSync } from 'node:child_process';
import { ENTRIES, type ProgramName } from '../lib/programs.ts';
import { page } from './markdown.ts';

const PROGRAMS: ProgramName[] = ['appliance', 'relay', 'agent'];

function help(entry: string, path: string[]): string {
  const { NODE_OPTIONS: _options, ...env } = process.env;
  return execFileSync(process.execPath, [entry, ...path, '--help'], {
    encoding: 'utf8',
    env: { ...env, COLUMNS: '110', NO_COLOR: '1' },
  }).trim();
}

/** Commands named in the "Commands:" part of a help text. */
function subcommands(text: string): string[] {
  const part = text.split(/^Commands:$/m)[1] ?? '';
  return [...part.matchAll(/^ {2}([a-z][a-z-]*)/gm)]
    .map((match) => match[1] as string)
    .filter((name) => name !== 'help');
}

function walk(program: ProgramName, path: string[]): string[] {
  const text = help(ENTRIES[program], path);
  const title = ['sitewarden-', program, ...path.map((part) => ` ${part}`)].join('');
  const own = `${path.length === 0 ? '##' : '###'} ${title}\n\n\`\`\`text\n${text}\n\`\`\``;
  return [own, ...subcommands(text).flatMap((name) => walk(program, [...path, name]))];
}

export const cliPage = (): string =>
  page('Commands', 'What each program says with `--help`.', ...PROGRAMS.flatMap((name) => walk(name, [])));
