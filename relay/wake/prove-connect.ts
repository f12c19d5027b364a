import { parseSignature } from '@sitewarden/agent-proto/http-signature';
import { readWakePassword, WAKE_METHOD, WAKE_PATH } from '@sitewarden/agent-proto/wake';
import { isCodedError } from '@sitewarden/kit/errors';
import type { Clock } from '@sitewarden/kit/time';
import type { ConnectPacket } from 'aedes';
import type { BoxDirectory } from '../accounts/index.ts';
import { type BoxProof, toReceived } from '../box-proof/index.ts';
import { relayErrors } from '../errors.ts';
import type { Box } from '../lib/identity.ts';

export interface ConnectDeps {
  readonly boxes: BoxDirectory;
  readonly proof: BoxProof;
  readonly clock: Clock;
  readonly publicUrl: () => string;
}

const EMPTY = new Uint8Array();

/**
 * The active box whose CONNECT this is. The password is verified as the headers of a request would be. Throws the codes
 * of box-proof and of the directory, APPLIANCE_QUARANTINED, and BODY_INVALID when username or client id are another's.
 */
export async function proveConnect(
  { boxes, proof, clock, publicUrl }: ConnectDeps,
  {
    clientId,
    username,
    password,
  }: { clientId: string; username: string | undefined; password: Uint8Array | undefined },
): Promise<Box> {
  if (password === undefined) throw relayErrors.make('SIGNATURE_MISSING');
  const headers = readWakePassword(Buffer.from(password));
  if (headers === undefined) throw relayErrors.make('SIGNATURE_MALFORMED');
  const parsed = parseSignature(headers);
  if (!parsed.ok) throw relayErrors.make(parsed.code);
  if (username !== parsed.keyId) throw relayErrors.make('BODY_INVALID', { field: 'username' });
  const known = await boxes.find(parsed.keyId, clock.nowMs());
  const request = { method: WAKE_METHOD, path: WAKE_PATH, query: '', headers, body: EMPTY };
  const box = await proof.proveKnown(toReceived(publicUrl(), request), known, { isCheckin: false });
  if (box.state !== 'active') throw relayErrors.make('APPLIANCE_QUARANTINED');
  if (clientId !== box.applianceId) throw relayErrors.make('BODY_INVALID', { field: 'clientId' });
  return box;
}

/** MQTT 3.1.1, 3.2.2.3: come again later; sign anew; do not come again until a check-in went well. */
const CONNACK = { unavailable: 3, badPassword: 4, notAuthorized: 5 } as const;

const SIGN_ANEW = new Set([
  'SIGNATURE_MISSING',
  'SIGNATURE_MALFORMED',
  'SIGNATURE_COMPONENTS',
  'SIGNATURE_INVALID',
  'DIGEST_MISMATCH',
  'CLOCK_SKEW',
  'NONCE_REPLAYED',
  'KEYS_MISMATCH',
]);

/** The return code of CONNACK for what `proveConnect` threw. */
export function connackOf(error: unknown): { code: string; returnCode: number } {
  if (!isCodedError(error)) return { code: 'INTERNAL', returnCode: CONNACK.unavailable };
  const { code, status } = error;
  if (SIGN_ANEW.has(code)) return { code, returnCode: CONNACK.badPassword };
  const returnCode = status === 429 || status >= 500 ? CONNACK.unavailable : CONNACK.notAuthorized;
  return { code, returnCode };
}

/** What a client asks for that a wake-up does not give; undefined when all is as it should be. */
export function connectFault(
  { protocolVersion, clean, will, keepalive }: ConnectPacket,
  { minKeepaliveS, maxKeepaliveS }: { minKeepaliveS: number; maxKeepaliveS: number },
): string | undefined {
  // What the broker itself refuses, with the return code of the standard.
  if (protocolVersion !== 4) return undefined;
  if (will) return 'WILL_REFUSED';
  if (clean !== true) return 'SESSION_REFUSED';
  const seconds = keepalive ?? 0;
  return seconds >= minKeepaliveS && seconds <= maxKeepaliveS ? undefined : 'KEEPALIVE_REFUSED';
}
