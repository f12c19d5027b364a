import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
export const WORKSPACES = ['agent-proto', 'kit', 'agent', 'appliance', 'relay', 'relay/web'] as const;
const SKIPPED = new Set(['node_modules', 'dist', 'gen', 'fixtures', '.tap']);

/** Paths relative to the repository of every source file of a workspace, generated ones left out. */
export function sourceFiles(workspace: string): string[] {
  return walk(join(ROOT, workspace))
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'))
    .map((path) => relative(ROOT, path))
    .filter((path) => workspace !== 'relay' || !path.startsWith('relay/web/'));
}

export interface Import {
  file: string;
  specifier: string;
  /** Repository path for relative imports and for our own packages; undefined for others. */
  target: string | undefined;
}

export function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const specifiers = [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\s[^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*?)?from\s+['"]([^'"]+)['"]|(?:^|\n)\s*import\s+['"]([^'"]+)['"]|import(?:\.meta\.resolve)?\(\s*['"]([^'"]+)['"]/g,
    ),
  ];
  return specifiers.map((match) => {
    const specifier = (match[1] ?? match[2] ?? match[3]) as string;
    return { file, specifier, target: resolve(file, specifier) };
  });
}

function resolve(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(file), specifier);
  const own = /^@sitewarden\/([^/]+)\/(.+)$/.exec(specifier);
  return own ? `${own[1] === 'web' ? 'relay/web' : own[1]}/${own[2]}/index.ts` : undefined;
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}
