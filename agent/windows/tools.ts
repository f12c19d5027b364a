import { win32 } from 'node:path';

/** argv of the tools of Windows, each without its own arguments. A test puts others in their place. */
export interface WindowsTools {
  readonly powershell: readonly [string, ...string[]];
  readonly wmic: readonly [string, ...string[]];
  readonly reg: readonly [string, ...string[]];
}

/** Programs that change something. */
export interface ChangeTools extends WindowsTools {
  readonly netsh: readonly [string, ...string[]];
  readonly manageBde: readonly [string, ...string[]];
}

/** By full path: a file of the same name in a folder that others may write must not be run as SYSTEM. */
export function windowsTools(systemRoot: string | undefined = process.env.SystemRoot): WindowsTools {
  const system = system32(systemRoot);
  return {
    powershell: [win32.join(system, 'WindowsPowerShell', 'v1.0', 'powershell.exe')],
    wmic: [win32.join(system, 'wbem', 'WMIC.exe')],
    reg: [win32.join(system, 'reg.exe')],
  };
}

export function changeTools(systemRoot: string | undefined = process.env.SystemRoot): ChangeTools {
  const system = system32(systemRoot);
  return {
    ...windowsTools(systemRoot),
    netsh: [win32.join(system, 'netsh.exe')],
    manageBde: [win32.join(system, 'manage-bde.exe')],
  };
}

const system32 = (systemRoot: string | undefined): string => win32.join(systemRoot ?? 'C:\\Windows', 'System32');
