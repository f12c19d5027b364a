import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { importsOf, ROOT, sourceFiles, WORKSPACES } from './sources.ts';

interface Manifest {
  name?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  allowScripts?: Record<string, boolean>;
}
interface LockEntry {
  version?: string;
  resolved?: string;
  link?: boolean;
  license?: string;
  hasInstallScript?: boolean;
  dev?: boolean;
  integrity?: string;
}

const readJson = <T>(path: string): T => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const root = readJson<Manifest>('package.json');
const lock = readJson<{ packages: Record<string, LockEntry> }>('package-lock.json').packages;
const installed = Object.entries(lock).filter(([path, entry]) => path.includes('node_modules/') && !entry.link);

t.test('every dependency is pinned to one exact version', async (t) => {
  for (const manifest of [root, ...WORKSPACES.map((name) => readJson<Manifest>(`${name}/package.json`))]) {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      t.match(version, /^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/, name);
    }
  }
});

t.test('the lockfile carries a checksum for each package and no download address', async (t) => {
  t.ok(installed.length > 100);
  t.strictSame(
    installed.filter(([, entry]) => entry.resolved?.includes('://')).map(([path]) => path),
    [],
  );
  t.strictSame(
    installed.filter(([, entry]) => !entry.integrity).map(([path]) => path),
    [],
  );
});

t.test('every package with an install script is allowed or denied by name', async (t) => {
  const names = installed
    .filter(([, entry]) => entry.hasInstallScript)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13));
  t.ok(names.includes('node'));
  const undecided = names.filter((name) => root.allowScripts?.[name] === undefined);
  t.strictSame(undecided, []);
});

/**
 * OFL-1.1 lets a font be embedded in documents of any licence, and asks only that the font itself keeps its licence and
 * is not sold alone. It is not meant for code, so it is taken for packages of fonts and for nothing else.
 */
const isFont = (path: string, license: string | undefined) =>
  license === 'OFL-1.1' && path.startsWith('node_modules/@fontsource/');

/** Some packages bring their licence as a file and do not name it. */
function saysMit(path: string): boolean {
  const file = join(ROOT, path, 'LICENSE');
  return existsSync(file) && readFileSync(file, 'utf8').startsWith('MIT License');
}

t.test('every shipped package has a permissive licence and brings its text', async (t) => {
  const permissive =
    /^\(?(MIT|ISC|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|0BSD|Unlicense|BlueOak-1\.0\.0|CC0-1\.0|Python-2\.0|MIT-0)( (OR|AND) [A-Za-z0-9.-]+)*\)?$/;
  const shipped = installed.filter(([path, entry]) => !entry.dev && existsSync(join(ROOT, path)));
  t.ok(shipped.length > 50);
  const isFine = ([path, { license }]: [string, LockEntry]) =>
    permissive.test(license ?? '') || isFont(path, license) || (license === undefined && saysMit(path));
  t.strictSame(
    shipped.filter((entry) => !isFine(entry)).map(([path, entry]) => `${path}: ${entry.license}`),
    [],
  );
});

t.test('every package a workspace imports is declared by that workspace', async (t) => {
  for (const workspace of WORKSPACES) {
    const manifest = readJson<Manifest>(`${workspace}/package.json`);
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }));
    const missing = sourceFiles(workspace)
      .flatMap(importsOf)
      .map(({ specifier }) => specifier)
      .filter(
        (specifier) =>
          !specifier.startsWith('.') && !specifier.startsWith('node:') && !specifier.startsWith('@sitewarden/web'),
      )
      .map((specifier) =>
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      )
      .filter((name) => !declared.has(name) && name !== manifest.name);
    t.strictSame([...new Set(missing)], [], workspace);
  }
});

t.test('every declared package is used', async (t) => {
  const generated = importsOf('agent-proto/gen/sitewarden/agent/v1/agent.ts');
  for (const workspace of WORKSPACES) {
    const manifest = readJson<Manifest>(`${workspace}/package.json`);
    const used = new Set(
      [...sourceFiles(workspace).flatMap(importsOf), ...generated].map(({ specifier }) =>
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
    );
    const unused = Object.keys(manifest.dependencies ?? {}).filter((name) => !used.has(name));
    t.strictSame(unused, [], workspace);
  }
});
