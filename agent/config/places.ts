import { join } from 'node:path';

/** Where this operating system keeps a service's settings and data. */
export function defaultConfigPath(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return join(programData(), 'agent.yaml');
  if (platform === 'darwin') return '/Library/Application Support/Sitewarden/agent.yaml';
  return '/etc/sitewarden/agent.yaml';
}

export function defaultDataDir(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return join(programData(), 'agent');
  if (platform === 'darwin') return '/Library/Application Support/Sitewarden/agent';
  return '/var/lib/sitewarden-agent';
}

function programData(): string {
  return join(process.env.ProgramData ?? 'C:\\ProgramData', 'Sitewarden');
}
