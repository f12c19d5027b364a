import type { Facts } from '@sitewarden/agent-proto/agent';
import { countFact, flagFact, listFact, textFact } from '../facts.ts';
import type { Verdict } from '../types.ts';
import { verdictsOf } from '../verdict.ts';

const verdicts = verdictsOf('bitlocker', 'every local volume and all swap is encrypted, and no key lies in the clear');

const TECHNOLOGIES: Readonly<Record<string, { readonly title: string; readonly how: string }>> = {
  luks: { title: 'luks', how: 'have no encryption layer (LUKS or dm-crypt)' },
  'dm-crypt': { title: 'dm-crypt', how: 'have no encryption layer (LUKS or dm-crypt)' },
  bitlocker: { title: 'BitLocker', how: 'are not encrypted with BitLocker' },
  filevault: { title: 'FileVault', how: 'are not encrypted with FileVault' },
};

/** A volume seen without encryption fails even when others could not be seen: the fault is certain. */
export function evaluateBitlocker(facts: Facts): Verdict {
  const fault = faultOf(facts);
  if (fault !== undefined) return fault;
  const volumes = countFact(facts, 'volumes');
  const encrypted = countFact(facts, 'encrypted_volumes');
  const bare = listFact(facts, 'unencrypted_volumes');
  const problem = textFact(facts, 'probe_error');
  const technology = TECHNOLOGIES[textFact(facts, 'technology') ?? ''];
  if (problem !== undefined) return verdicts.unknown(problem);
  if (volumes === undefined || encrypted === undefined || bare === undefined || volumes === 0) {
    return verdicts.unknown('No local volume was seen. Run the agent on the host itself, not in a container.');
  }
  if (encrypted !== volumes || flagFact(facts, 'root_encrypted') !== true || technology === undefined) {
    return verdicts.unknown(
      `The state of ${Math.max(1, volumes - encrypted)} volume(s) cannot be seen. Run the agent on the host itself, with all rights.`,
    );
  }
  if (technology === TECHNOLOGIES.bitlocker || technology === TECHNOLOGIES.filevault) {
    // Their facts tell protection and conversion apart from encryption; without them "encrypted" is half an answer.
    const isWhole = ['unprotected_volumes', 'converting_volumes'].every((name) => listFact(facts, name) !== undefined);
    if (!isWhole) return verdicts.unknown('Whether protection is on is not known. Run the check again.');
  }
  const key =
    textFact(facts, 'escrow') === 'none'
      ? ' There is no recovery password: add one and keep it elsewhere.'
      : textFact(facts, 'escrow') === 'not_known'
        ? ' Whether the recovery password is kept elsewhere is not known here.'
        : '';
  return verdicts.pass(
    `${encrypted} of ${volumes} volumes encrypted with ${technology.title}`,
    `Every local volume is encrypted and its key is protected.${key}`,
  );
}

function faultOf(facts: Facts): Verdict | undefined {
  const listed = (name: string): readonly string[] => listFact(facts, name) ?? [];
  const bare = listed('unencrypted_volumes');
  if (bare.length > 0) {
    const how = TECHNOLOGIES[textFact(facts, 'technology') ?? '']?.how ?? 'are not encrypted';
    const tpm = flagFact(facts, 'tpm_present') === false ? ' This machine has no TPM in use: turn it on first.' : '';
    return verdicts.fail(
      'high',
      `not encrypted: ${bare.join(', ')}`,
      `${bare.length} local volume(s) ${how}.${tpm} Encrypt them or move the data away.`,
    );
  }
  const unprotected = listed('unprotected_volumes');
  if (unprotected.length > 0) {
    return verdicts.fail(
      'high',
      `encrypted, protection off: ${unprotected.join(', ')}`,
      'The data is encrypted and the key lies beside it in the clear. Add a key protector if there is none, then resume protection.',
    );
  }
  const converting = listed('converting_volumes');
  if (converting.length > 0) {
    return verdicts.fail(
      'medium',
      `not fully encrypted: ${converting.join(', ')}`,
      'Encryption or decryption is under way or paused. Leave this machine on until it is done, and resume it if it stands still.',
    );
  }
  if (flagFact(facts, 'swap_encrypted') === false) {
    return verdicts.fail(
      'medium',
      'swap is not encrypted',
      'Memory is written to disk in the clear. Put swap on an encrypted volume, or turn it off.',
    );
  }
  return undefined;
}
