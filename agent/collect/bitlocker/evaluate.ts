import type { Facts } from '@sitewarden/agent-proto/agent';
import { countFact, flagFact, listFact, textFact } from '../facts.ts';
import type { Verdict } from '../types.ts';
import { verdictsOf } from '../verdict.ts';

const verdicts = verdictsOf('bitlocker', 'every local volume and all swap is encrypted');

/** A volume seen without encryption fails even when others could not be seen: the fault is certain. */
export function evaluateBitlocker(facts: Facts): Verdict {
  const volumes = countFact(facts, 'volumes');
  const encrypted = countFact(facts, 'encrypted_volumes');
  const bare = listFact(facts, 'unencrypted_volumes');
  const problem = textFact(facts, 'probe_error');
  if (bare !== undefined && bare.length > 0) {
    return verdicts.fail(
      'high',
      `not encrypted: ${bare.join(', ')}`,
      `${bare.length} local volume(s) have no encryption layer (LUKS or dm-crypt). Encrypt them or move the data away.`,
    );
  }
  if (flagFact(facts, 'swap_encrypted') === false) {
    return verdicts.fail(
      'medium',
      'swap is not encrypted',
      'Memory is written to disk in the clear. Put swap on an encrypted volume, or turn it off.',
    );
  }
  if (problem !== undefined) return verdicts.unknown(problem);
  if (volumes === undefined || encrypted === undefined || bare === undefined || volumes === 0) {
    return verdicts.unknown('No local volume was seen. Run the agent on the host itself, not in a container.');
  }
  if (encrypted !== volumes || flagFact(facts, 'root_encrypted') !== true) {
    return verdicts.unknown(
      `The block device of ${Math.max(1, volumes - encrypted)} volume(s) cannot be seen. Run the agent on the host itself, as root.`,
    );
  }
  return verdicts.pass(
    `${encrypted} of ${volumes} volumes encrypted with ${textFact(facts, 'technology') ?? 'dm-crypt'}`,
    'Every local volume lies on an encryption layer.',
  );
}
