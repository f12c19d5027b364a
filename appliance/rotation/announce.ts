import { BOX_PATHS, compile, type KeyTransition, KeyTransitionAnswer } from '@sitewarden/agent-proto/http';
import { fingerprint } from '@sitewarden/agent-proto/keys';
import { lazily } from '../lib/lazily.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';

const validator = lazily(() => compile(KeyTransitionAnswer));

/** Tells the relay which device key follows; signed by the present one. Once it resolves both are taken. Rejects with RelayFailure. */
export async function announceKey(
  client: RelayClient,
  { turn, oldSignature, newSignature }: { turn: KeyTransition; oldSignature: string; newSignature: string },
): Promise<void> {
  const body = JSON.stringify({ newKey: turn.newKey, oldSignature, newSignature });
  const request = { method: 'POST', path: BOX_PATHS.keys, body, isTokenAsked: true } as const;
  const answer = await client.sendJson(request, validator());
  if (answer.fingerprint === fingerprint(turn.newKey)) return;
  throw new RelayFailure({ kind: 'ambiguous', code: 'RELAY_ANSWER_INVALID', detail: 'It names another key' });
}
