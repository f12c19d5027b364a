import { CHECK_NAMES, CHECKS, isCheckName } from '@sitewarden/agent-proto/checks';
import { detectServiceManager } from '@sitewarden/kit/services';
import { type CheckOutcome, runChecks } from '../../collect/index.ts';
import { loadAgentConfig } from '../../config/index.ts';
import { glanceAtQueue } from '../../queue/index.ts';
import { toSiteConfig } from '../../site/index.ts';
import { print } from './output.ts';

export interface CheckFlags {
  readonly json?: boolean;
  readonly service?: readonly string[];
}

/** Looks now and prints; sends and stores nothing. */
export async function checkCommand(configPath: string | undefined, flags: CheckFlags): Promise<void> {
  const { config } = await loadAgentConfig(configPath);
  const known = toSiteConfig(glanceAtQueue(config.dataDir)?.siteConfig);
  const outcomes = await runChecks({
    checks: CHECK_NAMES,
    requiredServices: flags.service ?? known.requiredServices,
    services: detectServiceManager({ pidfileDir: config.serviceManager.pidfileDir }),
  });
  if (flags.json) print(JSON.stringify(outcomes, undefined, 2));
  else for (const outcome of outcomes) print(describe(outcome));
}

function describe({ check, subject, status, actual, expected, reason, controls }: CheckOutcome): string {
  const title = isCheckName(check) ? CHECKS[check].title : check;
  const name = subject === '' ? title : `${title} ${subject}`;
  return [
    `${status.toUpperCase().replace('_', ' ').padEnd(15)}${name}: ${actual}`,
    `${' '.repeat(15)}${reason}`,
    ...(status === 'pass' || status === 'not_applicable' ? [] : [`${' '.repeat(15)}Expected: ${expected}`]),
    `${' '.repeat(15)}${controls.join(', ')}`,
  ].join('\n');
}
