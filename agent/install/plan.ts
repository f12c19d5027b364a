import { posix, win32 } from 'node:path';
import { launchdPlist } from './launchd-plist.ts';
import { LAUNCHD_LABEL, type Layout, TASK_NAME, UNIT_NAME } from './layout.ts';
import { scheduledTask } from './scheduled-task.ts';
import type { Step } from './steps.ts';
import { systemdUnit } from './systemd-unit.ts';

export interface InstallWishes {
  /** The token file's text, for the service to enroll with. */
  readonly token: string | undefined;
  /** Files are laid out below another root: nothing is started. */
  readonly isOffline: boolean;
  /** %SystemRoot% of Windows: its tools are called by their full path. */
  readonly systemRoot?: string;
}

const CONFIG_TEXT = `# Sitewarden agent. Every key: sitewarden-agent config keys
# Left out, each has its default; the address of the appliance comes with the token.
`;

/** Pure. The same on a machine that has the agent already: that is how it is upgraded. */
export function planInstall(layout: Layout, wishes: InstallWishes): Step[] {
  const { dirname, join } = pathsOf(layout);
  const { command, copyFrom, configFile, dataDir } = layout;
  const { isOffline, token } = wishes;
  const tokenFile = join(dataDir, 'token.json');
  const steps: (Step | readonly Step[] | false)[] = [
    { do: 'folder', path: dirname(configFile), mode: 0o755 },
    { do: 'folder', path: dataDir, mode: 0o700 },
    // Before anything in them is read, run or believed.
    layout.platform === 'win32' && !isOffline && closeFolders(layout, wishes),
    !isOffline && stopSteps(layout, wishes),
    copyFrom !== undefined && [
      { do: 'folder', path: dirname(command[0]), mode: 0o755 },
      { do: 'copy', from: copyFrom, to: command[0], mode: 0o755 },
    ],
    { do: 'write', path: configFile, text: CONFIG_TEXT, mode: 0o644, isKept: true },
    token !== undefined && { do: 'write', path: tokenFile, text: token, mode: 0o600, isSecret: true },
    token !== undefined && !isOffline && { do: 'enroll', tokenFile },
    serviceSteps(layout, wishes),
  ];
  return steps.flatMap((step) => (step === false ? [] : step));
}

/** Ends the agent so that it does not come back before its new service does. */
function stopSteps({ platform, dataDir }: Layout, { systemRoot }: { readonly systemRoot?: string }): Step[] {
  const stop: Step = { do: 'stop', dataDir };
  if (platform !== 'win32') return [stop];
  const schtasks = toolOf(systemRoot, 'schtasks.exe');
  return [{ ...run(schtasks, '/Change', '/TN', TASK_NAME, '/DISABLE'), mayFail: true }, stop];
}

/** Pure. Without `purge` the identity, the queue and the configuration stay. */
export function planUninstall(
  layout: Layout,
  wishes: { readonly purge: boolean; readonly isOffline: boolean; readonly systemRoot?: string },
): Step[] {
  const { dirname, join } = pathsOf(layout);
  const { dataDir, configFile } = layout;
  const own = [
    ...['identity', 'native', 'queue.db', 'queue.db-wal', 'queue.db-shm', 'agent.lock', 'agent.lock.pid'],
    ...['state.json', 'removed.json', 'token.json', 'stop-request', 'agent.log', 'agent.log.1', 'task.xml'],
    ...['update.json', 'queue.before-update.db'],
  ];
  return [
    ...endSteps(layout, wishes),
    ...(layout.command.length === 1
      ? // What an update keeps or leaves beside the program.
        ['', '.old', ...(layout.platform === 'win32' ? ['.bad'] : [])].map(
          (end) => ({ do: 'remove', path: `${layout.command[0]}${end}` }) as const,
        )
      : []),
    ...(wishes.purge
      ? ([
          ...own.map((name) => ({ do: 'remove', path: join(dataDir, name) }) as const),
          { do: 'remove-empty', path: dataDir },
          { do: 'remove', path: configFile },
          { do: 'remove-empty', path: dirname(configFile) },
        ] as const)
      : []),
  ];
}

function serviceSteps(layout: Layout, { isOffline, systemRoot }: InstallWishes): Step[] {
  const { definition } = layout;
  switch (layout.platform) {
    case 'linux': {
      const unit: Step = { do: 'write', path: definition, text: systemdUnit(layout), mode: 0o644 };
      const folder: Step = { do: 'folder', path: posix.dirname(definition), mode: 0o755 };
      if (isOffline) return [folder, unit, run('systemctl', 'enable', UNIT_NAME)];
      return [
        folder,
        unit,
        run('systemctl', 'daemon-reload'),
        run('systemctl', 'enable', UNIT_NAME),
        run('systemctl', 'restart', UNIT_NAME),
      ];
    }
    case 'darwin': {
      const plist: Step = { do: 'write', path: definition, text: launchdPlist(layout), mode: 0o644 };
      const folder: Step = { do: 'folder', path: posix.dirname(definition), mode: 0o755 };
      if (isOffline) return [folder, plist];
      return [
        folder,
        { ...run('/bin/launchctl', 'bootout', `system/${LAUNCHD_LABEL}`), mayFail: true },
        plist,
        run('/bin/launchctl', 'bootstrap', 'system', definition),
      ];
    }
    case 'win32': {
      const text = scheduledTask(layout);
      const task: Step = { do: 'write', path: definition, text, mode: 0o600, encoding: 'utf16' };
      if (isOffline) return [task];
      const schtasks = toolOf(systemRoot, 'schtasks.exe');
      return [
        task,
        run(schtasks, '/Create', '/TN', TASK_NAME, '/XML', definition, '/F'),
        { do: 'remove', path: definition },
        run(schtasks, '/Run', '/TN', TASK_NAME),
      ];
    }
  }
}

function endSteps(layout: Layout, wishes: { readonly isOffline: boolean; readonly systemRoot?: string }): Step[] {
  const { definition } = layout;
  switch (layout.platform) {
    case 'linux':
      return [
        wishes.isOffline
          ? { ...run('systemctl', 'disable', UNIT_NAME), mayFail: true }
          : { ...run('systemctl', 'disable', '--now', UNIT_NAME), mayFail: true },
        { do: 'remove', path: definition },
        ...(wishes.isOffline ? [] : [run('systemctl', 'daemon-reload')]),
      ];
    case 'darwin':
      return [
        ...(wishes.isOffline
          ? []
          : [{ ...run('/bin/launchctl', 'bootout', `system/${LAUNCHD_LABEL}`), mayFail: true }]),
        { do: 'remove', path: definition },
      ];
    case 'win32': {
      if (wishes.isOffline) return [{ do: 'remove', path: definition }];
      const schtasks = toolOf(wishes.systemRoot, 'schtasks.exe');
      return [...stopSteps(layout, wishes), { ...run(schtasks, '/Delete', '/TN', TASK_NAME, '/F'), mayFail: true }];
    }
  }
}

/**
 * Every account may make folders below ProgramData, and what is made there can be read by all. So the folder is taken
 * over with all in it, and only SYSTEM and the administrators keep rights: the identity and the code that is loaded lie
 * there. Accounts by their SIDs, whose names differ between languages.
 */
function closeFolders({ configFile, dataDir }: Layout, { systemRoot }: InstallWishes): Step[] {
  const icacls = toolOf(systemRoot, 'icacls.exe');
  const settings = win32.dirname(configFile);
  const folders = dataDir.toLowerCase().startsWith(`${settings.toLowerCase()}\\`) ? [settings] : [settings, dataDir];
  return folders.flatMap((folder) => [
    run(icacls, folder, '/setowner', '*S-1-5-32-544', '/T', '/C', '/L', '/Q'),
    run(icacls, folder, '/reset', '/T', '/C', '/L', '/Q'),
    run(icacls, folder, '/inheritance:r', '/grant:r', '*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F', '/Q'),
  ]);
}

const run = (...argv: [string, ...string[]]): Extract<Step, { do: 'run' }> => ({ do: 'run', argv });

const toolOf = (systemRoot = 'C:\\Windows', name: string): string => win32.join(systemRoot, 'System32', name);

const pathsOf = ({ platform }: Layout) => (platform === 'win32' ? win32 : posix);
