import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import type { Identity } from '../identity/index.ts';
import { state } from '../store/index.ts';

/**
 * The log is what says which evidence key is in force: a crash may have come between its entry and the key file. Answers
 * whether a key was put in force, so that the identity must be read again. Throws IDENTITY_DAMAGED.
 */
export async function settleEvidenceKey(db: SqliteDatabase, { evk, next }: Identity): Promise<boolean> {
  const turn = state.get(db, 'evk_turn');
  if (turn?.phase !== 'entered' || turn.newKey === evk.publicKey) return false;
  if ((await next.find('evk'))?.publicKey !== turn.newKey) {
    throw applianceErrors.make('IDENTITY_DAMAGED', {
      field: 'evk.pem',
      detail: 'The log was handed over to an evidence key that is not in the folder identity',
    });
  }
  await next.putInForce('evk');
  return true;
}
