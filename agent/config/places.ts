import { posix, win32 } from 'node:path';

/** Where this operating system keeps a service's settings and data. */
export function defaultConfigPath(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return win32.join(programData(), 'agent.yaml');
  if (platform === 'darwin') return posix.join(MAC_FOLDER, 'agent.yaml');
  return '/etc/sitewarden/agent.yaml';
}

export function defaultDataDir(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return win32.join(programData(), 'agent');
  if (platform === 'darwin') return posix.join(MAC_FOLDER, 'agent');
  return '/var/lib/sitewarden-agent';
}

/** Where `install` puts the program itself: only administrators can write there. */
export function programPath(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') {
    return win32.join(process.env.ProgramFiles ?? 'C:\\Program Files', 'Sitewarden', 'sitewarden-agent.exe');
  }
  return '/usr/local/bin/sitewarden-agent';
}

const MAC_FOLDER = '/Library/Application Support/Sitewarden';

function programData(): string {
  return win32.join(process.env.ProgramData ?? 'C:\\ProgramData', 'Sitewarden');
}
