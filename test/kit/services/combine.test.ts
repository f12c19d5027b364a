import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  combineManagers,
  createPidfileManager,
  createSysvManager,
  detectServiceManager,
} from '@sitewarden/kit/services';
import t from 'tap';

function declare(dir: string, ...names: string[]): string {
  for (const name of names) {
    const pidFile = join(dir, `${name}.pid`);
    writeFileSync(join(dir, `${name}.json`), JSON.stringify({ command: ['sleep', '600'], pidFile }));
  }
  return dir;
}

t.test('the first manager that knows the name acts', async (t) => {
  const root = t.testdir({ first: {}, second: {} });
  const first = createPidfileManager({ dir: declare(join(root, 'first'), 'both') });
  const second = createPidfileManager({ dir: declare(join(root, 'second'), 'both', 'other') });
  const manager = combineManagers([first, second]);
  await manager.start('both');
  await manager.start('other');
  t.equal((await first.status('both')).state, 'running');
  t.equal((await second.status('both')).state, 'stopped');
  t.equal((await second.status('other')).state, 'running');
  t.equal((await manager.status('other')).state, 'running');
  await manager.stop('both');
  await manager.stop('other');
  t.equal((await second.status('other')).state, 'stopped');
});

t.test('a name nobody knows is unknown, a bad one is refused', async (t) => {
  const dir = t.testdir();
  const manager = combineManagers([createPidfileManager({ dir }), createSysvManager()]);
  t.equal((await manager.status('none-such')).state, 'not_installed');
  await t.rejects(manager.status('../x'), { code: 'SERVICE_NAME_INVALID' });
  for (const verb of ['start', 'restart', 'stop'] as const) {
    await t.rejects(manager[verb]('none-such'), { code: 'SERVICE_UNKNOWN' });
    await t.rejects(manager[verb]('-x'), { code: 'SERVICE_NAME_INVALID' });
  }
  await t.rejects(combineManagers([]).start('web'), { code: 'SERVICE_UNKNOWN' });
});

t.test('what this host runs is found, and declared services come first', async (t) => {
  const system = detectServiceManager();
  t.equal(system.kind, existsSync('/run/systemd/system') ? 'systemd' : 'sysv');
  const dir = declare(t.testdir(), 'cron');
  const manager = detectServiceManager({ pidfileDir: dir });
  t.equal(manager.kind, 'combined');
  await manager.start('cron');
  t.match(await manager.status('cron'), { state: 'running', detail: /^pid \d+$/ });
  await manager.stop('cron');
  t.match(await createPidfileManager({ dir }).status('cron'), { state: 'stopped' });
});
