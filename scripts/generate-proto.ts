// Generates agent-proto/gen from the .proto files. `--image` also renews the committed image that breaking changes are held against.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'agent-proto');
const buf = join(import.meta.dirname, '..', 'node_modules', '.bin', 'buf');
const run = (...args: string[]) => execFileSync(buf, args, { cwd: folder, stdio: 'inherit' });

run('lint');
run('generate');
if (process.argv.includes('--image')) run('build', '-o', 'fixtures/agent-v1.binpb');
