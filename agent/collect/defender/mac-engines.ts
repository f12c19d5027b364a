import type { ENGINE_NAMES } from '@sitewarden/agent-proto/evidence';

export interface MacEngine {
  readonly name: (typeof ENGINE_NAMES)[number];
  /** Beginnings of the paths of the programs that protect. System extensions live where only the system may write. */
  readonly programs: readonly string[];
  readonly signatures?: never;
}

export const MAC_ENGINES: readonly MacEngine[] = [
  { name: 'CrowdStrike Falcon', programs: ['/Library/CS/falcond', '/Applications/Falcon.app/Contents/'] },
  { name: 'SentinelOne', programs: ['/Library/Sentinel/sentinel-agent.bundle/'] },
  { name: 'Microsoft Defender', programs: ['/Applications/Microsoft Defender.app/Contents/MacOS/wdavdaemon'] },
  { name: 'Sophos', programs: ['/Library/Sophos Anti-Virus/'] },
  { name: 'ESET', programs: ['/Applications/ESET Endpoint', '/Applications/ESET Cyber Security'] },
  { name: 'Bitdefender', programs: ['/Library/Bitdefender/AVP/'] },
  { name: 'Malwarebytes', programs: ['/Library/Application Support/Malwarebytes/MBAM/'] },
  { name: 'Palo Alto Cortex XDR', programs: ['/Library/Application Support/PaloAltoNetworks/Traps/'] },
  {
    name: 'Jamf Protect',
    programs: ['/Applications/JamfProtect.app/Contents/', '/Library/Application Support/JamfProtect/'],
  },
  { name: 'Trend Micro', programs: ['/Library/Application Support/TrendMicro/'] },
  { name: 'Webroot', programs: ['/Applications/Webroot SecureAnywhere.app/Contents/'] },
];
