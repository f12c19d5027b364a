import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { applianceErrors } from '../../appliance/errors.ts';
import { ROUTES } from '../../relay/routes/contract/table.ts';
import { ROOT } from './sources.ts';

const committed = join(ROOT, 'docs', 'reference');

t.test('docs/reference says exactly what the code has', async (t) => {
  const made = t.testdir();
  const { NODE_OPTIONS: _options, ...env } = process.env;
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'generate-reference.ts'), '--out', made], { env });
  const names = readdirSync(made).sort();
  t.strictSame(readdirSync(committed).sort(), names, 'the same pages');
  for (const name of names)
    t.equal(
      readFileSync(join(made, name), 'utf8'),
      readFileSync(join(committed, name), 'utf8'),
      `${name}; renew with npm run reference`,
    );
});

t.test('the pages name every error code and every route', async (t) => {
  const errors = readFileSync(join(committed, 'errors.md'), 'utf8');
  t.strictSame(
    applianceErrors.codes.filter((code) => !errors.includes(`| \`${code}\` |`)),
    [],
  );
  const routes = readFileSync(join(committed, 'routes.md'), 'utf8');
  t.strictSame(
    Object.values(ROUTES)
      .filter(({ method, url }) => !routes.includes(`\`${method} ${url}\``))
      .map(({ url }) => url),
    [],
  );
});

t.test('every npm task of package.json is told in CONTRIBUTING or README', async (t) => {
  const told = ['CONTRIBUTING.md', 'README.md'].map((name) => readFileSync(join(ROOT, name), 'utf8')).join('\n');
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  t.strictSame(
    Object.keys(scripts).filter(
      (name) => !told.includes(name === 'test' || name === 'start' ? `npm ${name}` : `npm run ${name}`),
    ),
    [],
  );
});

t.test('every relative link in the docs leads somewhere', async (t) => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  ];
  const { existsSync } = await import('node:fs');
  const dead = pages.flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => match[1] as string)
      .filter((target) => !existsSync(join(ROOT, file, '..', target)))
      .map((target) => `${file}: ${target}`),
  );
  t.strictSame(dead, []);
});
