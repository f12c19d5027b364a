import type { Facts } from '@sitewarden/agent-proto/agent';
import { countFact, flagFact, listFact, textFact } from '../facts.ts';
import type { Verdict } from '../types.ts';
import { verdictsOf } from '../verdict.ts';
import { ENGINES } from './engines.ts';

/** ClamAV publishes daily; a week covers a workstation that was off for a holiday and nothing more. */
const MAX_SIGNATURE_AGE_DAYS = 7;

const verdicts = verdictsOf('defender', 'an anti-malware engine runs with signatures at most 7 days old');

export function evaluateDefender(facts: Facts): Verdict {
  const problem = textFact(facts, 'probe_error');
  const running = flagFact(facts, 'engine_running');
  const engine = textFact(facts, 'engine');
  const found = listFact(facts, 'engines_found');
  if (problem !== undefined) return verdicts.unknown(problem);
  if (running === undefined || found === undefined) {
    return verdicts.unknown('It is not known which anti-malware engines are here. Run the check again.');
  }
  if (engine === undefined) {
    if (running || found.length > 0) return verdicts.unknown('An engine was seen but not named. Run the check again.');
    return verdicts.fail('high', 'no engine found', 'No known anti-malware engine is installed. Install one.');
  }
  if (!running) {
    return verdicts.fail('high', `${engine} is stopped`, `${engine} is installed and does not run. Start its service.`);
  }
  return evaluateSignatures(facts, engine);
}

function evaluateSignatures(facts: Facts, engine: string): Verdict {
  const ageDays = countFact(facts, 'signature_age_days');
  const known = ENGINES.find(({ name }) => name === engine);
  if (known === undefined) return verdicts.unknown(`${engine} is not an engine the agent knows. Update the agent.`);
  if (ageDays !== undefined && ageDays > MAX_SIGNATURE_AGE_DAYS) {
    return verdicts.fail(
      'high',
      `${engine} runs with signatures ${ageDays} days old`,
      'The signatures are out of date. Check that freshclam runs and reaches its mirror.',
    );
  }
  if (ageDays === undefined && known.signatures !== undefined) {
    return verdicts.unknown(`The age of ${engine}'s signatures cannot be read. Run freshclam once as root.`);
  }
  const age = ageDays === undefined ? '' : `, signatures ${ageDays} day(s) old`;
  const realtime =
    flagFact(facts, 'realtime') === false
      ? 'It scans on demand only; turn on on-access scanning to catch files as they arrive.'
      : '';
  return verdicts.pass(`${engine} runs${age}`, `${engine} is active. ${realtime}`.trim());
}
