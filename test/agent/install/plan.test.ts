import { win32 } from 'node:path';
import t from 'tap';
import { defaultConfigPath, defaultDataDir } from '../../../agent/config/index.ts';
import { describeStep, type Layout, layoutOf, planInstall, planUninstall } from '../../../agent/install/index.ts';
import { quoteArgument } from '../../../agent/install/scheduled-task.ts';

type Platform = Layout['platform'];

function layout(platform: Platform, more: Partial<Parameters<typeof layoutOf>[0]> = {}): Layout {
  const executable = platform === 'win32' ? 'C:\\Users\\it\\Downloads\\agent.exe' : '/tmp/agent';
  const places = { configFile: defaultConfigPath(platform), dataDir: defaultDataDir(platform) };
  return layoutOf({ platform, executable, script: undefined, ...places, ...more });
}

const lines = (steps: readonly Parameters<typeof describeStep>[0][]) => steps.map(describeStep);
const wishes = { token: '{"token":"swt_secret"}\n', isOffline: false, systemRoot: 'C:\\Windows' };

t.test('Linux: files, then the service manager', (t) => {
  t.same(lines(planInstall(layout('linux'), wishes)), [
    'make the folder /etc/sitewarden, mode 0755',
    'make the folder /var/lib/sitewarden-agent, mode 0700',
    'end the agent if it runs',
    'make the folder /usr/local/bin, mode 0755',
    'copy /tmp/agent to /usr/local/bin/sitewarden-agent',
    'write /etc/sitewarden/agent.yaml, unless it is there',
    'write /var/lib/sitewarden-agent/token.json',
    'enroll with the token, now or when the appliance can be reached',
    'make the folder /etc/systemd/system, mode 0755',
    'write /etc/systemd/system/sitewarden-agent.service',
    'run systemctl daemon-reload',
    'run systemctl enable sitewarden-agent.service',
    'run systemctl restart sitewarden-agent.service',
  ]);
  t.end();
});

t.test('macOS: the daemon is taken out before it is put in again', (t) => {
  t.same(lines(planInstall(layout('darwin'), { ...wishes, token: undefined })).slice(-4), [
    'make the folder /Library/LaunchDaemons, mode 0755',
    'run /bin/launchctl bootout system/com.sitewarden.agent',
    'write /Library/LaunchDaemons/com.sitewarden.agent.plist',
    'run /bin/launchctl bootstrap system /Library/LaunchDaemons/com.sitewarden.agent.plist',
  ]);
  t.end();
});

t.test('Windows: folders are closed to others before anything in them is used', (t) => {
  const steps = planInstall(layout('win32'), wishes);
  const said = lines(steps);
  const closed = said.findLastIndex((line) => line.includes('/inheritance:r'));
  const used = said.findIndex((line) => /end the agent|copy|token/.test(line));
  t.ok(closed > 0 && closed < used, said.join('\n'));
  for (const step of steps) {
    if (step.do !== 'run') continue;
    t.match(
      step.argv[0],
      /^C:\\Windows\\System32\\[a-z]+\.exe$/,
      'a tool is called by its full path, not through a shell',
    );
  }
  t.same(said.slice(-4), [
    'write C:\\ProgramData\\Sitewarden\\agent\\task.xml',
    'run C:\\Windows\\System32\\schtasks.exe /Create /TN \\Sitewarden\\Agent /XML C:\\ProgramData\\Sitewarden\\agent\\task.xml /F',
    'remove C:\\ProgramData\\Sitewarden\\agent\\task.xml',
    'run C:\\Windows\\System32\\schtasks.exe /Run /TN \\Sitewarden\\Agent',
  ]);
  t.end();
});

t.test('no plan shows a token', (t) => {
  for (const platform of ['linux', 'darwin', 'win32'] as const) {
    t.notMatch(lines(planInstall(layout(platform), wishes)).join('\n'), 'swt_secret');
  }
  t.end();
});

t.test('the program in its place is not copied onto itself, and a checkout is not copied at all', (t) => {
  const again = planInstall(layout('linux', { executable: '/usr/local/bin/sitewarden-agent' }), wishes);
  t.notOk(again.some((step) => step.do === 'copy'));
  const checkout = layout('linux', { executable: '/opt/node', script: '/srv/agent.ts' });
  t.notOk(planInstall(checkout, wishes).some((step) => step.do === 'copy'));
  t.notOk(lines(planUninstall(checkout, { purge: true, isOffline: false })).includes('remove /opt/node'));
  t.end();
});

t.test('uninstall keeps the data, purge removes what is the agent’s and no folder with something else in it', (t) => {
  const kept = planUninstall(layout('linux'), { purge: false, isOffline: false });
  t.same(lines(kept), [
    'run systemctl disable --now sitewarden-agent.service',
    'remove /etc/systemd/system/sitewarden-agent.service',
    'run systemctl daemon-reload',
    'remove /usr/local/bin/sitewarden-agent',
    'remove /usr/local/bin/sitewarden-agent.old',
  ]);
  const purged = lines(planUninstall(layout('linux', { dataDir: '/var' }), { purge: true, isOffline: false }));
  t.ok(purged.includes('remove /var/identity'));
  t.ok(purged.includes('remove the folder /var if it is empty'));
  t.notOk(purged.includes('remove /var'));
  t.end();
});

t.test('the Windows task starts at boot as SYSTEM without limits, and again when it ended', (t) => {
  const dataDir = 'D:\\Agent & Co\\data';
  const write = planInstall(layout('win32', { dataDir }), wishes).find(
    (step) => step.do === 'write' && step.encoding === 'utf16',
  );
  const xml = write?.do === 'write' ? write.text : '';
  // The order of elements is fixed by the task schema (xs:sequence in Triggers' base type, Exec and Task).
  const order = ['<RegistrationInfo>', '<Triggers>', '<Principals>', '<Settings>', '<Actions '];
  t.same(
    order.map((tag) => xml.indexOf(tag)),
    order.map((tag) => xml.indexOf(tag)).sort((a, b) => a - b),
  );
  for (const part of [
    '<BootTrigger>',
    '<Interval>PT5M</Interval>',
    '<UserId>S-1-5-18</UserId>',
    '<RunLevel>HighestAvailable</RunLevel>',
    '<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>',
    '<MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>',
    '<StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>',
    `<Command>${win32.join('C:\\Program Files', 'Sitewarden', 'sitewarden-agent.exe')}</Command>`,
    '--log-file &quot;D:\\Agent &amp; Co\\data\\agent.log&quot;',
  ]) {
    t.match(xml, part);
  }
  t.notMatch(xml, '& ', 'what stands in a path is escaped');
  t.end();
});

t.test('arguments are quoted as a Windows program takes them apart', (t) => {
  t.equal(quoteArgument('plain'), 'plain');
  t.equal(quoteArgument('C:\\a b\\'), '"C:\\a b\\\\"');
  t.equal(quoteArgument('say "x\\"'), '"say \\"x\\\\\\""');
  t.equal(quoteArgument(''), '""');
  t.end();
});
