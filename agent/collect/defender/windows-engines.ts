import type { ENGINE_NAMES } from '@sitewarden/agent-proto/evidence';

export interface WindowsEngine {
  readonly name: (typeof ENGINE_NAMES)[number];
  /** Of the name it registers with the Security Center: a brand, which is the same in every language. */
  readonly brand: RegExp;
  /** Names of its services in lower case. On a server, which has no Security Center, they are all there is to see. */
  readonly services: readonly string[];
}

export const OTHER_ENGINE = 'other anti-malware';

/** The first brand that fits is taken. */
export const WINDOWS_ENGINES: readonly WindowsEngine[] = [
  { name: 'CrowdStrike Falcon', brand: /crowdstrike/i, services: ['csfalconservice'] },
  { name: 'SentinelOne', brand: /sentinel ?(?:one|agent)/i, services: ['sentinelagent'] },
  { name: 'Sophos', brand: /sophos/i, services: ['sophos endpoint defense service', 'savservice', 'sophos mcs agent'] },
  { name: 'ESET', brand: /\beset\b/i, services: ['ekrn'] },
  { name: 'Bitdefender', brand: /bitdefender/i, services: ['epsecurityservice', 'vsserv'] },
  { name: 'Trend Micro', brand: /trend ?micro|apex one|worry-free/i, services: ['ntrtscan', 'ds_agent', 'amsp'] },
  { name: 'Palo Alto Cortex XDR', brand: /cortex xdr|palo alto/i, services: ['cyserver', 'cyveraservice'] },
  { name: 'Carbon Black', brand: /carbon black/i, services: ['cbdefense'] },
  { name: 'Kaspersky', brand: /kaspersky/i, services: ['kavfs', 'kavfsslp'] },
  { name: 'Trellix', brand: /trellix/i, services: ['mfetp', 'mcshield'] },
  { name: 'McAfee', brand: /mcafee/i, services: ['mcapexe'] },
  { name: 'Elastic Defend', brand: /elastic/i, services: ['elasticendpoint'] },
  { name: 'WithSecure', brand: /withsecure|f-secure/i, services: ['fshoster', 'fsulhoster'] },
  { name: 'Cybereason', brand: /cybereason/i, services: ['cybereasonav', 'cybereasonactiveprobe'] },
  { name: 'Symantec', brand: /symantec/i, services: ['sepmasterservice'] },
  { name: 'Norton', brand: /norton/i, services: ['nortonsecurity'] },
  { name: 'Malwarebytes', brand: /malwarebytes|threatdown/i, services: ['mbamservice', 'mbendpointagent'] },
  { name: 'Webroot', brand: /webroot/i, services: ['wrsvc'] },
  { name: 'Avast', brand: /avast/i, services: ['avast! antivirus'] },
  { name: 'AVG', brand: /\bavg\b/i, services: ['avg antivirus'] },
  { name: 'Avira', brand: /avira/i, services: ['antivirservice'] },
  { name: 'G DATA', brand: /g ?data/i, services: ['avkwctl', 'avkservice'] },
  { name: 'Panda', brand: /panda|watchguard/i, services: ['psuaservice', 'nanoservicemain'] },
  { name: 'Cylance', brand: /cylance/i, services: ['cylancesvc'] },
  { name: 'ClamAV', brand: /clam(?:av|win)|immunet/i, services: ['clamd', 'immunetprotect'] },
];

export const engineOfBrand = (displayName: string): string =>
  WINDOWS_ENGINES.find(({ brand }) => brand.test(displayName))?.name ?? OTHER_ENGINE;
