import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSysvManager } from '@sitewarden/kit/services';
import t from 'tap';

/** Starts a real daemon by a real init script under a name of this run alone, so that no other service is touched. */
const name = `sitewarden-test-${process.pid}`;
const script = `/etc/init.d/${name}`;
const isPossible =
  process.getuid?.() === 0 &&
  spawnSync('service', ['--version']).error === undefined &&
  existsSync('/lib/lsb/init-functions');
const needsInit = () =>
  isPossible ? {} : { skip: 'service, LSB init functions or the rights to use them are missing' };

function installScript(pidFile: string): void {
  writeFileSync(
    script,
    `#!/bin/sh
### BEGIN INIT INFO
# Provides:          ${name}
# Required-Start:
# Required-Stop:
# Default-Start:
# Default-Stop:
# Short-Description: a daemon for a test
### END INIT INFO
. /lib/lsb/init-functions
case "$1" in
  start) start-stop-daemon --start --oknodo --background --make-pidfile --pidfile ${pidFile} --exec /bin/sleep -- 600 ;;
  stop) start-stop-daemon --stop --oknodo --retry 5 --remove-pidfile --pidfile ${pidFile} ;;
  restart) $0 stop && $0 start ;;
  status) status_of_proc -p ${pidFile} /bin/sleep ${name} ;;
  *) exit 2 ;;
esac
`,
  );
  chmodSync(script, 0o755);
}

t.test('a service of init scripts starts, restarts, fails, stops', needsInit(), async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-sysv-'));
  const pidFile = join(dir, 'daemon.pid');
  installScript(pidFile);
  t.teardown(() => {
    spawnSync(script, ['stop']);
    rmSync(script);
    rmSync(dir, { recursive: true });
  });
  const manager = createSysvManager();
  const pid = () => Number(readFileSync(pidFile, 'utf8'));
  t.match(await manager.status(name), { state: 'stopped', detail: /not running/ });
  await manager.start(name);
  t.match(await manager.status(name), { state: 'running', detail: /is running/ });
  const first = pid();
  await manager.restart(name);
  t.not(pid(), first);
  t.equal((await manager.status(name)).state, 'running');
  process.kill(pid(), 'SIGKILL');
  t.match(await manager.status(name), { state: /failed|running/ });
  const until = performance.now() + 5000;
  while ((await manager.status(name)).state === 'running' && performance.now() < until);
  t.equal((await manager.status(name)).state, 'failed', 'dead with its pid file left');
  await manager.restart(name);
  t.equal((await manager.status(name)).state, 'running');
  await manager.stop(name);
  t.equal((await manager.status(name)).state, 'stopped');
});

t.test('a script that fails is told with its last words', needsInit(), async (t) => {
  const failing = `${script}-failing`;
  writeFileSync(failing, '#!/bin/sh\necho "Starting: \x1b[31mport taken\x1b[0m"\necho\nexit 1\n');
  chmodSync(failing, 0o755);
  t.teardown(() => rmSync(failing));
  const manager = createSysvManager();
  await t.rejects(manager.start(`${name}-failing`), {
    code: 'SERVICE_MANAGER_FAILED',
    message: /start: Starting: port taken. The service manager refused/,
  });
});

t.test('a script that hangs is cut short, by time or by the caller', needsInit(), async (t) => {
  const hanging = `${script}-hanging`;
  writeFileSync(hanging, '#!/bin/sh\nsleep 600\n');
  chmodSync(hanging, 0o755);
  t.teardown(() => rmSync(hanging));
  const manager = createSysvManager({ timeoutMs: 300 });
  await t.rejects(manager.restart(`${name}-hanging`), { code: 'SERVICE_TIMEOUT' });
  await t.rejects(manager.status(`${name}-hanging`), { code: 'SERVICE_TIMEOUT' });
  const call = { signal: AbortSignal.timeout(100) };
  await t.rejects(createSysvManager().stop(`${name}-hanging`, call), { code: 'SERVICE_ACTION_ABORTED' });
});

const distributed = ['cron', 'nginx', 'procps'].find((one) => existsSync(`/etc/init.d/${one}`));
const needsDistributed = distributed === undefined ? { skip: 'no init script of the distribution is here' } : {};

t.test('a service of the distribution has a state of its own', needsDistributed, async (t) => {
  t.match(await createSysvManager().status(distributed!), { state: /^(running|stopped|failed)$/, detail: String });
});

t.test('a name that is not installed is unknown, a bad one is refused', async (t) => {
  const manager = createSysvManager();
  t.match(await manager.status('no-such-service-here'), { state: 'not_installed' });
  await t.rejects(manager.restart('no-such-service-here'), { code: 'SERVICE_UNKNOWN' });
  for (const bad of ['--full-restart', '-h', '../../bin/sh', 'a b', '', 'cron;id']) {
    await t.rejects(manager.status(bad), { code: 'SERVICE_NAME_INVALID' }, bad);
    await t.rejects(manager.restart(bad), { code: 'SERVICE_NAME_INVALID' }, bad);
  }
});
