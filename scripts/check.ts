// Everything that can be said about the code without running it: format, lint, types, proto, generated files.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);
const webTsc = join(root, 'relay', 'node_modules', '.bin', 'tsc');

const STEPS: { name: string; command: string; args: string[]; cwd?: string }[] = [
  { name: 'format and lint', command: bin('biome'), args: ['ci', '--error-on-warnings', '.'] },
  { name: 'types', command: bin('tsc'), args: ['-p', '.'] },
  { name: 'types of the dashboard', command: webTsc, args: ['-p', join('relay', 'web')] },
  { name: 'proto lint', command: bin('buf'), args: ['lint'], cwd: 'agent-proto' },
  {
    name: 'proto compatibility',
    command: bin('buf'),
    args: ['breaking', '--against', join('fixtures', 'agent-v1.binpb')],
    cwd: 'agent-proto',
  },
  { name: 'generated files', command: process.execPath, args: [join('scripts', 'check-generated.ts')] },
  { name: 'golden fixtures', command: process.execPath, args: [join('scripts', 'generate-fixtures.ts'), '--check'] },
  { name: 'house rules', command: process.execPath, args: [join('scripts', 'test.ts'), 'test/repo/'] },
];

let failed = 0;
for (const step of STEPS) {
  const startedAt = performance.now();
  const result = spawnSync(step.command, step.args, { cwd: join(root, step.cwd ?? '.'), encoding: 'utf8' });
  const isOk = result.status === 0;
  console.log(`${isOk ? 'ok    ' : 'NOT OK'} ${step.name} ${Math.round(performance.now() - startedAt)} ms`);
  if (!isOk) {
    failed += 1;
    console.log(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`);
  }
}
console.log(failed === 0 ? 'clean' : `${failed} of ${STEPS.length} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
