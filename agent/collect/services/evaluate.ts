import type { Facts } from '@sitewarden/agent-proto/agent';
import { textFact } from '../facts.ts';
import type { Verdict } from '../types.ts';
import { verdictsOf } from '../verdict.ts';

const verdicts = verdictsOf('services', 'the service is running');

export function evaluateServices(facts: Facts): Verdict {
  const service = textFact(facts, 'service');
  const problem = textFact(facts, 'probe_error');
  if (service === undefined) {
    // Without a subject this is the answer for "nothing is required"; anything else it says is a fault.
    const isEmpty = problem === undefined && textFact(facts, 'manager') !== undefined && facts.state === undefined;
    return isEmpty
      ? verdicts.notApplicable('No service is required on this workstation.')
      : verdicts.unknown(problem ?? 'It is not known which service was looked at. Run the check again.');
  }
  if (problem !== undefined) return verdicts.unknown(problem);
  switch (textFact(facts, 'state')) {
    case 'running':
      return verdicts.pass('running', `${service} is running.`);
    case 'stopped':
      return verdicts.fail('high', 'stopped', `${service} is stopped. Start it.`);
    case 'failed':
      return verdicts.fail('high', 'failed', `${service} has failed. Look at its log, then restart it.`);
    case 'not_installed':
      return verdicts.fail(
        'high',
        'not installed',
        `This workstation has no service ${service}. Install it, or take it off the site's list.`,
      );
    default:
      return verdicts.unknown(`The state of ${service} could not be read. Ask the service manager by hand.`);
  }
}
