import type { RelayKeys } from '@sitewarden/agent-proto/http';
import { applianceErrors } from '../errors.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { readRelayKeys, TrustError } from '../lib/trust.ts';
import { state } from '../store/index.ts';

/** Keeps a newer list of the relay's working keys; false when it is not newer. Throws RELAY_KEYS_INVALID. */
export function storeRelayKeys({ db, clock, log }: ApplianceContext, envelope: string, rootKey: string): boolean {
  const known = state.relayKeys(db);
  let keys: RelayKeys;
  try {
    keys = readRelayKeys(envelope, rootKey);
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    throw applianceErrors.make('RELAY_KEYS_INVALID', { detail: error.message, cause: error });
  }
  if (known !== undefined && keys.host !== known.host) {
    throw applianceErrors.make('RELAY_KEYS_INVALID', {
      detail: `They are those of ${keys.host}, not of ${known.host}`,
    });
  }
  // An older list would bring a withdrawn key back.
  if (known !== undefined && keys.generation <= known.generation) return false;
  state.set(db, 'relay_keys', { value: { keys, envelope }, atMs: clock.nowMs() });
  log.info({ generation: keys.generation }, 'the relay has other working keys');
  return true;
}
