// Writes docs/reference from the code: error codes, configuration keys, routes, commands, metrics. `--out DIR` writes
// elsewhere; a test holds what is committed against what this writes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliPage } from './reference/cli.ts';
import { configurationPage } from './reference/configuration.ts';
import { errorsPage } from './reference/errors.ts';
import { metricsPage } from './reference/metrics.ts';
import { routesPage } from './reference/routes.ts';
import { rulesPage } from './reference/rules.ts';

const PAGES: Record<string, () => string | Promise<string>> = {
  'errors.md': errorsPage,
  'configuration.md': configurationPage,
  'routes.md': routesPage,
  'commands.md': cliPage,
  'metrics.md': metricsPage,
  'rules.md': rulesPage,
};

const at = process.argv.indexOf('--out');
const out = at > 0 ? (process.argv[at + 1] as string) : join(import.meta.dirname, '..', 'docs', 'reference');
mkdirSync(out, { recursive: true });
for (const [name, page] of Object.entries(PAGES)) writeFileSync(join(out, name), await page());
