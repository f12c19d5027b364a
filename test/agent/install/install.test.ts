import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { executeStep } from '../../../agent/install/index.ts';
import { openLogFile } from '../../../agent/run/log-file.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { runScript } from '../../helpers/run-script.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'agent', 'bin', 'sitewarden-agent.ts');
const TOKEN = JSON.stringify({ token: 'swt_first', applianceAddress: '10.0.0.1:50051' });
const UNIT = 'etc/systemd/system/sitewarden-agent.service';
const CONFIG = 'etc/sitewarden/agent.yaml';
const DATA = 'var/lib/sitewarden-agent';

const agent = (...args: string[]) => runScript(PROGRAM, ...args);

t.test('install lays real files below a root, twice the same; uninstall takes them away', async (t) => {
  if (skipWithout(t, { tools: ['systemctl'] })) return;
  const root = t.testdir({ 'token.json': TOKEN });
  const tokenFile = join(root, 'token.json');
  const first = await agent('install', '--root', root, '--token-file', tokenFile, '--appliance', 'box:50051');
  t.match(first, { code: 0, err: '' });
  t.notMatch(first.out, 'swt_first');
  t.notOk(existsSync(tokenFile), 'the token is in one place only');
  t.match(JSON.parse(readFileSync(join(root, DATA, 'token.json'), 'utf8')), {
    token: 'swt_first',
    applianceAddress: 'box:50051',
  });
  t.equal(statSync(join(root, DATA)).mode & 0o777, 0o700);
  t.equal(statSync(join(root, DATA, 'token.json')).mode & 0o777, 0o600);
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants/sitewarden-agent.service');
  t.ok(lstatSync(wants).isSymbolicLink(), 'the unit starts with the machine');

  writeFileSync(join(root, CONFIG), 'logLevel: warn\n');
  chmodSync(join(root, DATA), 0o755);
  const unit = readFileSync(join(root, UNIT), 'utf8');
  t.match(await agent('install', '--root', root), { code: 0 });
  t.equal(readFileSync(join(root, CONFIG), 'utf8'), 'logLevel: warn\n', 'the configuration of the owner stays');
  t.equal(readFileSync(join(root, UNIT), 'utf8'), unit);
  t.equal(statSync(join(root, DATA)).mode & 0o777, 0o700);

  t.match(await agent('uninstall', '--root', root), { code: 0, out: /stay; uninstall --purge removes them/ });
  t.notOk(existsSync(join(root, UNIT)));
  t.notOk(existsSync(wants));
  t.ok(existsSync(join(root, DATA, 'token.json')));
  writeFileSync(join(root, DATA, 'of-somebody-else'), '');
  t.match(await agent('uninstall', '--root', root, '--purge'), { code: 0 });
  t.notOk(existsSync(join(root, 'etc/sitewarden')));
  t.same(readdirSync(join(root, DATA)), ['of-somebody-else']);
});

t.test('systemd takes the unit without a complaint', async (t) => {
  if (skipWithout(t, { tools: ['systemctl', 'systemd-analyze'] })) return;
  const root = t.testdir();
  await agent('install', '--root', root);
  const command = /^ExecStart=(.*)$/m.exec(readFileSync(join(root, UNIT), 'utf8'))?.[1] ?? '';
  t.match(command, /sitewarden-agent\.ts --config \/etc\/sitewarden\/agent\.yaml run$/);
  // The unit below the root names programs of this machine, so it is looked at on its own.
  const said = execFileSync('systemd-analyze', ['verify', '--man=no', join(root, UNIT)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.equal(said, '');
  writeFileSync(
    join(root, UNIT),
    readFileSync(join(root, UNIT), 'utf8').replace('Restart=on-failure', 'Restart=perhaps'),
  );
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(root, UNIT)], {
    encoding: 'utf8',
  });
  t.match(stdout + stderr, /perhaps/, 'and would have said so');
});

t.test('a dry run says every step and does none', async (t) => {
  const root = t.testdir({ 'token.json': TOKEN });
  const said = await agent('install', '--dry-run', '--root', root, '--token-file', join(root, 'token.json'));
  t.match(said, { code: 0, out: /^would make the folder \/etc\/sitewarden/ });
  t.notMatch(said.out, 'swt_first');
  t.same(readdirSync(root), ['token.json']);
  t.match(
    (await agent('uninstall', '--dry-run', '--purge')).out,
    /would remove \/var\/lib\/sitewarden-agent\/identity/,
  );
});

t.test('a machine without systemd, a bad token and a step that fails are each told', async (t) => {
  const root = t.testdir({ 'bad.json': '{}', 'token.json': TOKEN });
  t.match(await agent('install', '--root', root, '--token-file', join(root, 'bad.json')), {
    code: 2,
    err: /TOKEN_FILE_INVALID/,
  });
  if (!existsSync('/run/systemd/system') && process.getuid?.() === 0) {
    t.match(await agent('install'), { code: 2, err: /INSTALL_UNSUPPORTED: systemd does not run this machine/ });
  }
  writeFileSync(join(root, 'etc'), 'a file in the way');
  const failed = await agent('install', '--root', root, '--token-file', join(root, 'token.json'));
  t.match(failed, { code: 1, err: /INSTALL_STEP_FAILED: Could not make the folder \/etc\/sitewarden/ });
  t.ok(existsSync(join(root, 'token.json')), 'the token is not lost with it');
});

t.test('a link in place of a folder is refused, a program is replaced whole', async (t) => {
  const dir = t.testdir({ other: {}, program: 'new', place: { program: 'old' } });
  const options = { root: undefined, stop: async () => {}, enroll: async () => {} };
  symlinkSync(join(dir, 'other'), join(dir, 'link'));
  await t.rejects(executeStep({ do: 'folder', path: join(dir, 'link'), mode: 0o700 }, options), {
    code: 'INSTALL_STEP_FAILED',
  });
  await executeStep(
    { do: 'copy', from: join(dir, 'program'), to: join(dir, 'place', 'program'), mode: 0o755 },
    options,
  );
  t.equal(readFileSync(join(dir, 'place', 'program'), 'utf8'), 'new');
  t.equal(statSync(join(dir, 'place', 'program')).mode & 0o777, 0o755);
  t.same(readdirSync(join(dir, 'place')), ['program']);
  await executeStep(
    { do: 'write', path: join(dir, 'task.xml'), text: '<a/>\n', mode: 0o600, encoding: 'utf16' },
    options,
  );
  t.same([...readFileSync(join(dir, 'task.xml'))].slice(0, 4), [0xff, 0xfe, 0x3c, 0]);
  await t.rejects(executeStep({ do: 'run', argv: ['false'] }, options), { code: 'INSTALL_STEP_FAILED' });
  await executeStep({ do: 'run', argv: ['false'], mayFail: true }, options);
  await t.rejects(executeStep({ do: 'run', argv: ['/nowhere/tool'], mayFail: true }, options), {
    code: 'INSTALL_STEP_FAILED',
  });
});

t.test('a log file is bounded and private', (t) => {
  const path = join(t.testdir(), 'agent.log');
  const log = openLogFile(path, 10);
  for (const line of ['one-one-one\n', 'two-two-two\n', 'three\n']) log.write(line);
  t.equal(readFileSync(path, 'utf8'), 'three\n');
  t.equal(readFileSync(`${path}.1`, 'utf8'), 'two-two-two\n');
  t.equal(statSync(path).mode & 0o777, 0o600);
  const lost = openLogFile(join(path, 'nowhere'));
  t.doesNotThrow(() => lost.write('x'));
  t.end();
});
