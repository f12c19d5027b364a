import type { KeyObject } from 'node:crypto';
import {
  parseSignature,
  type ReceivedRequest,
  type SignatureAccepted,
  verifyRequestAsync,
} from '@sitewarden/agent-proto/http-signature';
import { rawPublicKey } from '@sitewarden/agent-proto/keys';
import type { Clock } from '@sitewarden/kit/time';
import type { BoxDirectory, KnownBox } from '../accounts/index.ts';
import { relayErrors } from '../errors.ts';
import type { RelayKeyring } from '../keys/index.ts';
import type { Box } from '../lib/identity.ts';
import { NonceMemory } from '../lib/nonce-memory.ts';
import { noteRetiredUse, promoteNextKey } from '../rotation/index.ts';
import type { Store } from '../store/index.ts';

export const MAX_SKEW_S = 300;

export interface BoxProofDeps {
  readonly boxes: BoxDirectory;
  readonly clock: Clock;
  readonly keys: Pick<RelayKeyring, 'sign'>;
  readonly store: Store;
}

/** A request without its authority: that is the relay's own, whatever a Host header or a proxy says. */
export type UnplacedRequest = Omit<ReceivedRequest, 'authority'>;

export interface BoxProof {
  /** Throws the code of what is wrong with the signature, its time (with signed time to correct it), or its nonce. */
  verify(request: ReceivedRequest, key: { publicKey: KeyObject; fingerprint: string }): Promise<SignatureAccepted>;
  /** The box that signed, in force under its key. Throws as `verify`, DIK_RETIRED, and what `admit` throws. */
  proveKnown(request: ReceivedRequest, known: KnownBox, as: ProvenAs): Promise<Box>;
}

export interface ProvenAs {
  readonly isCheckin: boolean;
  /** Judges the check-in token that was signed, before a next key comes into force. */
  readonly admit?: (box: Box, checkinToken: string | null) => Promise<void>;
}

/** One for the whole program: a nonce that was used in one place counts as used in every other. */
export function createBoxProof({ boxes, clock, keys, store }: BoxProofDeps): BoxProof {
  const nonces = new NonceMemory(2 * MAX_SKEW_S * 1000);

  function takeNonce({ keyId, nonce }: SignatureAccepted): void {
    const taken = nonces.take(keyId, nonce, clock.monotonicMs());
    if (taken === 'seen') throw relayErrors.make('NONCE_REPLAYED');
    if (taken === 'too_many') throw relayErrors.make('RATE_LIMITED', { data: { retryAfterS: 60 } });
  }

  /**
   * The first request under the next key puts it in force, a check-in once it is known to continue the chain; until staff
   * have decided which of two copies is the box, check-ins alone are heard under it. A retired key opens nothing.
   */
  async function boxInForce(
    known: KnownBox,
    { signedAtMs, isCheckin }: { signedAtMs: number; isCheckin: boolean },
  ): Promise<Box> {
    const { box, fingerprint: named, standing } = known;
    if (standing.is === 'current') return box;
    const { applianceId, partnerId } = box;
    const nowMs = clock.nowMs();
    if (standing.is === 'retired') {
      const use = { applianceId, partnerId, fingerprint: named, retiredAtMs: standing.atMs, signedAtMs, nowMs };
      if (await noteRetiredUse(store, use)) boxes.forget(applianceId);
      throw relayErrors.make('DIK_RETIRED');
    }
    const publicKey = rawPublicKey(known.publicKey);
    const follows = box.fingerprint;
    if (!isCheckin) {
      const next = { applianceId, partnerId, fingerprint: named, follows, publicKey, atMs: nowMs };
      await promoteNextKey(store, { ...next, by: 'request' });
    }
    boxes.forget(applianceId);
    const now = await boxes.find(named, nowMs);
    if (now.standing.is === 'current') return now.box;
    if (now.standing.is === 'retired') throw relayErrors.make('DIK_RETIRED');
    if (!isCheckin) throw relayErrors.make('APPLIANCE_QUARANTINED');
    return { ...now.box, fingerprint: named, dik: publicKey, follows: now.box.fingerprint };
  }

  const proof: BoxProof = {
    async verify(request, { publicKey, fingerprint }) {
      const nowMs = clock.nowMs();
      const parsed = parseSignature(request.headers);
      if (parsed.ok && parsed.keyId !== fingerprint) throw relayErrors.make('KEYS_MISMATCH');
      const verdict = await verifyRequestAsync(request, publicKey, {
        nowS: Math.floor(nowMs / 1000),
        maxSkewS: MAX_SKEW_S,
      });
      if (!verdict.ok) {
        if (verdict.code !== 'CLOCK_SKEW') throw relayErrors.make(verdict.code);
        const nonce = parsed.ok ? parsed.nonce : '';
        const signedTime = keys.sign('time', { timeMs: nowMs, nonce });
        const offsetMs = Math.round((verdict.offsetS ?? 0) * 1000);
        throw relayErrors.make('CLOCK_SKEW', { data: { timeMs: nowMs, offsetMs, signedTime } });
      }
      takeNonce(verdict);
      return verdict;
    },
    async proveKnown(request, known, { isCheckin, admit }) {
      const { createdS, checkinToken } = await proof.verify(request, known);
      if (known.standing.is !== 'retired') await admit?.(known.box, checkinToken);
      return boxInForce(known, { signedAtMs: createdS * 1000, isCheckin });
    },
  };
  return proof;
}

/**
 * The authority is the relay's own, not what the Host header says: a signature made for another relay does not verify
 * here, and a proxy may rewrite Host.
 */
export const toReceived = (publicUrl: string, request: UnplacedRequest): ReceivedRequest => ({
  ...request,
  authority: new URL(publicUrl).host,
});
