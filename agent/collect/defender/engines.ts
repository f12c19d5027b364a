export interface Engine {
  readonly name: string;
  /** Names in /proc/PID/comm, which the kernel cuts at 15 characters. */
  readonly processes: readonly string[];
  /** Any of these there means installed. Its side programs live here too, so a process from here alone proves nothing. */
  readonly paths: readonly string[];
  /** System accounts it runs under, beside root. */
  readonly users?: readonly string[];
  /** Processes that scan at every file access. undefined: the engine always does while it runs. */
  readonly realtime?: readonly string[];
  /** Who can tell the age of its signatures. Others update themselves and fail closed when they cannot. */
  readonly signatures?: 'clamav';
}

/** Anti-malware engines for Linux workstations. The first running one is reported as the engine. */
export const ENGINES: readonly Engine[] = [
  { name: 'CrowdStrike Falcon', processes: ['falcon-sensor', 'falcon-sensor-b'], paths: ['/opt/CrowdStrike/'] },
  { name: 'Microsoft Defender', processes: ['wdavdaemon'], paths: ['/opt/microsoft/mdatp/'], users: ['mdatp'] },
  { name: 'SentinelOne', processes: ['s1-agent', 's1-orchestrator', 's1-scanner'], paths: ['/opt/sentinelone/'] },
  {
    name: 'Sophos',
    processes: ['savd', 'savscand', 'sophos_threat_d'],
    paths: ['/opt/sophos-spl/', '/opt/sophos-av/'],
    users: ['sophosav', 'sophos-spl-user', 'sophos-spl-av'],
  },
  { name: 'ESET', processes: ['oaeventd'], paths: ['/opt/eset/eea/', '/opt/eset/efs/'] },
  { name: 'Bitdefender', processes: ['bdsecd', 'epagd'], paths: ['/opt/bitdefender-security-tools/'] },
  { name: 'Trend Micro', processes: ['ds_agent', 'ds_am', 'tmxbc'], paths: ['/opt/ds_agent/', '/opt/TrendMicro/'] },
  { name: 'Palo Alto Cortex XDR', processes: ['traps_pmd'], paths: ['/opt/traps/'] },
  { name: 'Carbon Black', processes: ['cbagentd', 'cbdaemon'], paths: ['/opt/carbonblack/'] },
  { name: 'Kaspersky', processes: ['kesl'], paths: ['/opt/kaspersky/kesl/'] },
  { name: 'Trellix', processes: ['mfetpd'], paths: ['/opt/McAfee/ens/', '/opt/Trellix/'] },
  { name: 'Elastic Defend', processes: ['elastic-endpoin'], paths: ['/opt/Elastic/Endpoint/'] },
  { name: 'WithSecure', processes: ['fsavd'], paths: ['/opt/f-secure/', '/opt/withsecure/'] },
  { name: 'Cybereason', processes: ['cybereason-sens'], paths: ['/opt/cybereason/'] },
  { name: 'Symantec', processes: ['rtvscand', 'sisamdagent'], paths: ['/opt/Symantec/'] },
  {
    name: 'ClamAV',
    processes: ['clamd'],
    paths: ['/usr/sbin/clamd', '/usr/bin/clamd', '/usr/local/sbin/clamd'],
    users: ['clamav', 'clamscan', 'clamupdate', 'clam'],
    realtime: ['clamonacc'],
    signatures: 'clamav',
  },
];
