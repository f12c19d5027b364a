// Holds committed generated files against what their generators make now.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApiDocument } from '../relay/routes/openapi-document.ts';

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'sitewarden-generated-'));
const stale: string[] = [];

try {
  compare('agent-proto/gen/sitewarden/agent/v1/agent.ts', () => {
    for (const name of ['proto', 'buf.yaml', 'buf.gen.yaml']) {
      cpSync(join(root, 'agent-proto', name), join(scratch, 'agent-proto', name), { recursive: true });
    }
    const plugin = join(root, 'node_modules', 'ts-proto', 'protoc-gen-ts_proto');
    const template = readFileSync(join(scratch, 'agent-proto', 'buf.gen.yaml'), 'utf8').replace(
      '../node_modules/ts-proto/protoc-gen-ts_proto',
      plugin,
    );
    execFileSync(join(root, 'node_modules', '.bin', 'buf'), ['generate', '--template', template], {
      cwd: join(scratch, 'agent-proto'),
    });
    return readFileSync(join(scratch, 'agent-proto', 'gen/sitewarden/agent/v1/agent.ts'), 'utf8');
  });
  compare('relay/openapi.json', () => `${JSON.stringify(openApiDocument(), null, 2)}\n`);
  compare('relay/web/src/api/schema.d.ts', () => {
    const out = join(scratch, 'schema.d.ts');
    const tool = join(root, 'relay', 'node_modules', '.bin', 'openapi-typescript');
    execFileSync(tool, [join(root, 'relay', 'openapi.json'), '-o', out], { stdio: 'ignore' });
    return readFileSync(out, 'utf8');
  });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

if (stale.length > 0) {
  console.log(
    `Stale: ${stale.join(', ')}. Run npm run proto, npm run openapi and npm run types -w @sitewarden/web, and commit.`,
  );
  process.exitCode = 1;
}

function compare(path: string, make: () => string): void {
  if (make() !== readFileSync(join(root, path), 'utf8')) stale.push(path);
}
