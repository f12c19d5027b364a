// `node scripts/run.mjs TASK [ARGS]`: sets up what is missing, then runs scripts of this repository on the pinned Node.
// Plain JavaScript: it must start on the system's Node (20 or newer), before anything is installed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pinnedNode, setUp } from './setup.mjs';

const TASKS = {
  setup: undefined,
  start: 'scripts/start.ts',
  test: 'scripts/test.ts',
  check: 'scripts/check.ts',
  bench: 'test/bench/main.ts',
  prove: 'test/prove/main.ts',
  'fleet-sim': 'scripts/fleet-sim.ts',
  openapi: 'scripts/generate-openapi.ts',
  reference: 'scripts/generate-reference.ts',
  proto: 'scripts/generate-proto.ts',
  screenshots: 'scripts/screenshots.ts',
  'build:agent': 'scripts/build-agent.ts',
};

const root = join(import.meta.dirname, '..');
const [task, ...args] = process.argv.slice(2);

if (!Object.hasOwn(TASKS, task ?? '')) {
  console.error(`Unknown task ${task ?? '(none)'}. Tasks: ${Object.keys(TASKS).join(', ')}.`);
  process.exit(2);
}

await setUp(root);
const script = TASKS[task];
if (script) {
  const node = pinnedNode(root);
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(process.platform === 'win32' ? ';' : ':');
  const child = spawn(node, [join(root, script), ...args], { stdio: 'inherit', env: { ...process.env, PATH: path } });
  // Ctrl-C reaches the whole group; a signal sent to this process alone is handed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
  child.on('error', (error) => {
    console.error(`Cannot run ${node}: ${error.message}. Delete node_modules and try again.`);
    process.exit(1);
  });
}
