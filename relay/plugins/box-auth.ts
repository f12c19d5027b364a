import type { KeyObject } from 'node:crypto';
import {
  parseSignature,
  type ReceivedRequest,
  type SignatureAccepted,
  verifyRequestAsync,
} from '@sitewarden/agent-proto/http-signature';
import { fingerprint, publicKeyFromRaw, rawPublicKey } from '@sitewarden/agent-proto/keys';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { KnownBox } from '../accounts/index.ts';
import { relayErrors } from '../errors.ts';
import type { Box, Device } from '../lib/identity.ts';
import { parseJson } from '../lib/json.ts';
import { NonceMemory } from '../lib/nonce-memory.ts';
import { rawBody } from '../lib/raw-body.ts';
import { noteRetiredUse, promoteNextKey } from '../rotation/index.ts';
import type { Services } from '../routes/context.ts';
import type { RouteName } from '../routes/contract/table.ts';

export const MAX_SKEW_S = 300;

declare module 'fastify' {
  interface FastifyRequest {
    /** The box that claims to call, found before its body is read; not yet verified. */
    knownBox: KnownBox | null;
  }
}

/** The device key of a box that is on its way in: in its own body, or in the session it names. */
export type FindSessionKey = (session: string) => Promise<string | undefined>;

type BoxAuthOptions = {
  services: Pick<Services, 'boxes' | 'clock' | 'keys' | 'publicUrl' | 'store'>;
  findSessionKey: FindSessionKey;
};

/** Verifies who calls the routes of boxes, by RFC 9421 signatures over the exact bytes. */
export const boxAuth = fp<BoxAuthOptions>(
  async (app, { services, findSessionKey }) => {
    const { boxes, clock, keys, publicUrl, store } = services;
    const nonces = new NonceMemory(2 * MAX_SKEW_S * 1000);
    app.decorateRequest('box', null);
    app.decorateRequest('device', null);
    app.decorateRequest('knownBox', null);

    app.addHook('onRequest', async (request) => {
      const access = request.routeOptions.config.contract?.access;
      if (access !== 'box' && access !== 'newBox') return;
      const parsed = parseSignature(request.headers);
      if (!parsed.ok) throw relayErrors.make(parsed.code);
      if (access === 'box') request.knownBox = await boxes.find(parsed.keyId, clock.nowMs());
    });

    app.addHook('preValidation', async (request) => {
      const access = request.routeOptions.config.contract?.access;
      if (access === 'box') {
        const known = request.knownBox;
        if (known === null) throw relayErrors.make('APPLIANCE_UNKNOWN');
        const { createdS } = await verify(request, known.publicKey, known.fingerprint);
        const isCheckin = request.routeOptions.config.contract?.name === ('checkin' satisfies RouteName);
        request.box = await boxInForce(known, { signedAtMs: createdS * 1000, isCheckin });
      } else if (access === 'newBox') {
        request.device = await verifyNewBox(request);
      }
    });

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

    async function verifyNewBox(request: FastifyRequest): Promise<Device> {
      const dik = await namedKey(parseJson(rawBody(request)));
      let publicKey: KeyObject;
      try {
        publicKey = publicKeyFromRaw(dik);
      } catch (cause) {
        throw relayErrors.make('BODY_INVALID', { field: '/keys/dik', detail: (cause as Error).message, cause });
      }
      const device = { dik, fingerprint: fingerprint(dik), address: request.ip };
      await verify(request, publicKey, device.fingerprint);
      return device;
    }

    async function namedKey(body: unknown): Promise<string> {
      const { keys: named, session } = (body ?? {}) as { keys?: { dik?: unknown }; session?: unknown };
      if (typeof named?.dik === 'string') return named.dik;
      if (typeof session !== 'string') throw relayErrors.make('BODY_INVALID', { field: '/keys/dik' });
      const dik = await findSessionKey(session);
      if (dik === undefined) throw relayErrors.make('SESSION_UNKNOWN');
      return dik;
    }

    async function verify(
      request: FastifyRequest,
      publicKey: KeyObject,
      expectedKeyId: string,
    ): Promise<SignatureAccepted> {
      const nowMs = clock.nowMs();
      const received = receivedRequest(request, new URL(publicUrl()).host);
      const parsed = parseSignature(request.headers);
      if (parsed.ok && parsed.keyId !== expectedKeyId) throw relayErrors.make('KEYS_MISMATCH');
      const verdict = await verifyRequestAsync(received, publicKey, {
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
    }

    function takeNonce({ keyId, nonce }: SignatureAccepted): void {
      const taken = nonces.take(keyId, nonce, clock.monotonicMs());
      if (taken === 'seen') throw relayErrors.make('NONCE_REPLAYED');
      if (taken === 'too_many') throw relayErrors.make('RATE_LIMITED', { data: { retryAfterS: 60 } });
    }
  },
  { name: 'box-auth', dependencies: ['error-answers', 'rate-limits'] },
);

/**
 * The authority is the relay's own, not what the Host header says: a signature made for another relay does not verify
 * here, and a proxy may rewrite Host.
 */
function receivedRequest(request: FastifyRequest, authority: string): ReceivedRequest {
  const url = request.raw.url ?? '/';
  const at = url.indexOf('?');
  return {
    method: request.method,
    authority,
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? '' : url.slice(at),
    headers: request.headers,
    body: rawBody(request),
  };
}
