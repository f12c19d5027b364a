import { hash } from 'node:crypto';
import type { Facts } from '../agent/index.ts';
import { canonicalBytes } from '../canonical/index.ts';
import { isTransitionSigned } from '../rotation/index.ts';
import type { EvidencePredicate } from './statement.ts';

export type KeyTurn = { ok: true; newKey: string } | { ok: false; detail: string };

/** `after.facts` of an entry of kind `evk_rotated`. The entry is signed by the old key; this is the new key's half. */
export const keyTurnFacts = (turn: { oldKey: string; newKey: string; newSignature: string }): Facts => ({
  old_key: turn.oldKey,
  new_key: turn.newKey,
  new_key_signature: turn.newSignature,
});

/** Whether an entry of kind `evk_rotated`, whose own signature by `evk` (raw) holds, hands over to another key. */
export function readKeyTurn(
  { after }: Pick<EvidencePredicate, 'after'>,
  { origin, evk }: { origin: string; evk: string },
): KeyTurn {
  if (after === null) return { ok: false, detail: 'It names no key' };
  const { old_key: oldKey, new_key: newKey, new_key_signature: newSignature, ...others } = after.facts;
  if (typeof oldKey !== 'string' || typeof newKey !== 'string' || typeof newSignature !== 'string') {
    return { ok: false, detail: '/predicate/after/facts names no two keys and signature' };
  }
  if (Object.keys(others).length > 0) return { ok: false, detail: '/predicate/after/facts has members of no meaning' };
  if (after.digest !== hash('sha256', canonicalBytes(after.facts), 'hex')) {
    return { ok: false, detail: '/predicate/after/digest is not that of the facts' };
  }
  if (oldKey !== evk) return { ok: false, detail: 'The old key is not the one in force' };
  if (newKey === oldKey) return { ok: false, detail: 'The new key is the old one' };
  const isSigned = isTransitionSigned({ key: 'evk', owner: origin, oldKey, newKey }, 'new', newSignature);
  return isSigned ? { ok: true, newKey } : { ok: false, detail: 'The new key did not sign it' };
}
