import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ENTRIES, nodeCommand, type ProgramName } from '../lib/programs.ts';
import { page } from './markdown.ts';

const PROGRAMS: ProgramName[] = ['appliance', 'relay', 'agent'];

async function help(entry: string, path: string[]): Promise<string> {
  const [command, ...args] = nodeCommand([entry, ...path, '--help']);
  const env = { ...process.env, COLUMNS: '110', NO_COLOR: '1' };
  return (await promisify(execFile)(command, args, { env })).stdout.trim();
}

/** Commands named in the "Commands:" part of a help text. */
function subcommands(text: string): string[] {
  const part = text.split(/^Commands:$/m)[1] ?? '';
  return [...part.matchAll(/^ {2}([a-z][a-z-]*)/gm)]
    .map((match) => match[1] as string)
    .filter((name) => name !== 'help');
}

async function walk(program: ProgramName, path: string[]): Promise<string[]> {
  const text = await help(ENTRIES[program], path);
  const title = ['sitewarden-', program, ...path.map((part) => ` ${part}`)].join('');
  const own = `${path.length === 0 ? '##' : '###'} ${title}\n\n\`\`\`text\n${text}\n\`\`\``;
  const inner = await Promise.all(subcommands(text).map((name) => walk(program, [...path, name])));
  return [own, ...inner.flat()];
}

export const cliPage = async (): Promise<string> =>
  page(
    'Commands',
    'What each program says with `--help`.',
    ...(await Promise.all(PROGRAMS.map((name) => walk(name, [])))).flat(),
  );
