import { readdirSync, readFileSync } from 'node:fs';
import { failedAnswer, parseLine, type SectionAnswer, type SectionName } from '../../../agent/windows/index.ts';

const FOLDER = new URL('../collect/recordings/', import.meta.url);

export const recording = (path: string): string => readFileSync(new URL(path, FOLDER), 'utf8');

export interface Machine {
  readonly name: string;
  readonly about: string;
  readonly source: readonly string[];
  ask(section: SectionName): SectionAnswer;
}

/** A recorded Windows machine; each section goes through the line the agent's script would print for it. */
export function machine(name: string): Machine {
  const { about, source, sections } = JSON.parse(recording(`windows/${name}.json`));
  return {
    name,
    about,
    source,
    ask(section) {
      const data = sections[section];
      if (data === undefined) return failedAnswer('no_tool');
      const line = Array.isArray(data) ? { s: section, d: data } : { s: section, e: data.error };
      const parsed = parseLine(JSON.stringify(line));
      if (parsed === undefined) throw new Error(`${name}: ${section} is no line of the script`);
      return parsed.answer;
    },
  };
}

export const machines = (): Machine[] =>
  readdirSync(new URL('windows/', FOLDER))
    .filter((file) => file.endsWith('.json'))
    .map((file) => machine(file.replace('.json', '')));
