// Writes relay/openapi.json from the table of routes. `--check` only compares and fails when the file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from '../relay/routes/openapi-document.ts';

const path = join(import.meta.dirname, '..', 'relay', 'openapi.json');
const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(path, text);
} else if (readFileSync(path, 'utf8') !== text) {
  console.error('relay/openapi.json is not what the routes say. Run: npm run openapi');
  process.exitCode = 1;
}
