// Brings a checkout to a state in which every task runs: dependencies as locked, the dashboard built. Idempotent and
// quick when nothing changed. Plain JavaScript for the system's Node; writes only to stderr.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The Node of the lockfile, whatever the system's is. */
export const pinnedNode = (root) =>
  join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

export async function setUp(root) {
  refuseOldNode();
  withLock(root, () => {
    installDependencies(root);
    buildDashboard(root);
  });
}

function refuseOldNode() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    fail(`Node ${process.versions.node} is too old to set up Sitewarden. Install Node 20 or newer.`);
  }
}

function installDependencies(root) {
  const manifest = JSON.parse(read(join(root, 'package.json')) ?? '{}');
  const allowed = JSON.stringify(manifest.allowScripts ?? {});
  const wanted = createHash('sha256')
    .update(read(join(root, 'package-lock.json')) ?? '')
    .update(allowed)
    .digest('hex');
  const stamp = join(root, 'node_modules', '.sitewarden-setup');
  if (read(stamp) === wanted && existsSync(pinnedNode(root))) return;
  say('installing dependencies (once, takes a minute or two)');
  runTool(npm(), ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], root);
  // Scripts are off by default; only what `allowScripts` in package.json lists may run its own.
  const scripted = Object.entries(manifest.allowScripts ?? {})
    .filter(([name, isAllowed]) => isAllowed && existsSync(join(root, 'node_modules', name)))
    .map(([name]) => name);
  runTool(npm(), ['rebuild', ...scripted, '--loglevel=error'], root);
  if (!existsSync(pinnedNode(root))) {
    fail('the pinned Node did not install. Run `npm rebuild node` and read what it says.');
  }
  writeFileSync(stamp, wanted);
}

function buildDashboard(root) {
  const web = join(root, 'relay', 'web');
  const vite = [join(root, 'node_modules'), join(root, 'relay', 'node_modules'), join(web, 'node_modules')]
    .map((folder) => join(folder, 'vite', 'bin', 'vite.js'))
    .find(existsSync);
  if (!vite || !existsSync(join(web, 'index.html'))) return;
  const wanted = digest([
    ...['src', 'public'].flatMap((folder) => sources(join(web, folder))),
    ...['index.html', 'vite.config.ts', 'package.json'].map((name) => join(web, name)),
    join(root, 'package-lock.json'),
  ]);
  const stamp = join(web, 'dist', '.sitewarden-build');
  if (read(stamp) === wanted) return;
  say('building the dashboard');
  runTool(pinnedNode(root), [vite, 'build', '--logLevel', 'warn'], web);
  writeFileSync(stamp, wanted);
}

/** Two tasks started at once must not install into the same folder; a lock left by a killed setup is taken over. */
function withLock(root, work) {
  const lock = join(root, 'node_modules.lock');
  const deadline = Date.now() + 10 * 60_000;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(read(join(lock, 'pid')));
      if (holder && !isAlive(holder)) rmSync(lock, { recursive: true, force: true });
      else if (Date.now() > deadline) fail(`another setup holds ${lock}. If none runs, remove that folder.`);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    writeFileSync(join(lock, 'pid'), String(process.pid));
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function runTool(command, args, cwd) {
  const viaShell = process.platform === 'win32' && command.endsWith('.cmd');
  const result = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2], shell: viaShell });
  if (result.status !== 0) fail(`\`${command} ${args.join(' ')}\` failed in ${cwd}. Its output is above.`);
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? sources(join(folder, entry.name)) : [join(folder, entry.name)]));
}

function digest(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(path).update(read(path) ?? '');
  return hash.digest('hex');
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const npm = () => (process.platform === 'win32' ? 'npm.cmd' : 'npm');
const say = (text) => process.stderr.write(`setup: ${text}\n`);
function fail(text) {
  say(text);
  process.exit(1);
}
