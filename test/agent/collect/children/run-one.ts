/** Prints the outcomes of one check as JSON: to be run inside a namespace or under another account. */
import { detectServiceManager } from '@sitewarden/kit/services';
import { runChecks } from '../../../../agent/collect/index.ts';

const outcomes = await runChecks({
  checks: [process.argv[2]!],
  requiredServices: [],
  services: detectServiceManager(),
});
process.stdout.write(JSON.stringify(outcomes));
