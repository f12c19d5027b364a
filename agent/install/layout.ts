import { posix, win32 } from 'node:path';
import { programPath } from '../config/index.ts';

export type ServicePlatform = 'linux' | 'darwin' | 'win32';

export interface Layout {
  readonly platform: ServicePlatform;
  /** The service's command: the installed file, or Node with the script of a source checkout. */
  readonly command: readonly [string, ...string[]];
  /** What is copied to `command[0]`; undefined when that is in its place already. */
  readonly copyFrom: string | undefined;
  readonly configFile: string;
  readonly dataDir: string;
  /** Unit, plist or the task's XML. */
  readonly definition: string;
  /** Where the service writes its log; undefined: systemd's journal. */
  readonly logFile: string | undefined;
}

export const UNIT_NAME = 'sitewarden-agent.service';
export const LAUNCHD_LABEL = 'com.sitewarden.agent';
export const TASK_NAME = '\\Sitewarden\\Agent';

export interface LayoutInput {
  readonly platform: ServicePlatform;
  /** process.execPath. */
  readonly executable: string;
  /** The script Node runs; undefined in the one-file agent. */
  readonly script: string | undefined;
  readonly configFile: string;
  readonly dataDir: string;
}

/** Where everything of an installation lies. Pure but for the environment's ProgramData and ProgramFiles. */
export function layoutOf({ platform, executable, script, configFile, dataDir }: LayoutInput): Layout {
  const { join } = platform === 'win32' ? win32 : posix;
  const program = programPath(platform);
  return {
    platform,
    command: script === undefined ? [program] : [executable, script],
    copyFrom: script === undefined && !isSamePath(platform, executable, program) ? executable : undefined,
    configFile,
    dataDir,
    definition: {
      linux: `/etc/systemd/system/${UNIT_NAME}`,
      darwin: `/Library/LaunchDaemons/${LAUNCHD_LABEL}.plist`,
      win32: join(dataDir, 'task.xml'),
    }[platform],
    logFile: platform === 'linux' ? undefined : join(dataDir, 'agent.log'),
  };
}

const isSamePath = (platform: ServicePlatform, one: string, other: string): boolean =>
  platform === 'win32' ? one.toLowerCase() === other.toLowerCase() : one === other;

/** Arguments of the service, behind its command. */
export function serviceArgs({ configFile, logFile }: Layout): string[] {
  return ['--config', configFile, 'run', ...(logFile === undefined ? [] : ['--log-file', logFile])];
}
