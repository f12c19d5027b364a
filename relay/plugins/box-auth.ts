import type { KeyObject } from 'node:crypto';
import { parseSignature, type ReceivedRequest } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, publicKeyFromRaw } from '@sitewarden/agent-proto/keys';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { KnownBox } from '../accounts/index.ts';
import { toReceived } from '../box-proof/index.ts';
import { relayErrors } from '../errors.ts';
import type { Device } from '../lib/identity.ts';
import { parseJson } from '../lib/json.ts';
import { rawBody } from '../lib/raw-body.ts';
import type { Services } from '../routes/context.ts';
import type { RouteName } from '../routes/contract/table.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The box that claims to call, found before its body is read; not yet verified. */
    knownBox: KnownBox | null;
  }
}

/** The device key of a box that is on its way in: in its own body, or in the session it names. */
export type FindSessionKey = (session: string) => Promise<string | undefined>;

type BoxAuthOptions = {
  services: Pick<Services, 'boxes' | 'clock' | 'newestToken' | 'proof' | 'publicUrl'>;
  findSessionKey: FindSessionKey;
};

/** Verifies who calls the routes of boxes, by RFC 9421 signatures over the exact bytes. */
export const boxAuth = fp<BoxAuthOptions>(
  async (app, { services, findSessionKey }) => {
    const { boxes, clock, newestToken, proof, publicUrl } = services;
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
        const contract = request.routeOptions.config.contract;
        const isCheckin = contract?.name === ('checkin' satisfies RouteName);
        const as = { isCheckin, ...(contract?.isTokenAsked && { admit: newestToken.demand }) };
        request.box = await proof.proveKnown(receivedRequest(request, publicUrl()), known, as);
      } else if (access === 'newBox') {
        request.device = await verifyNewBox(request);
      }
    });

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

    const verify = (request: FastifyRequest, publicKey: KeyObject, expectedKeyId: string) =>
      proof.verify(receivedRequest(request, publicUrl()), { publicKey, fingerprint: expectedKeyId });
  },
  { name: 'box-auth', dependencies: ['error-answers', 'rate-limits'] },
);

function receivedRequest(request: FastifyRequest, publicUrl: string): ReceivedRequest {
  const url = request.raw.url ?? '/';
  const at = url.indexOf('?');
  return toReceived(publicUrl, {
    method: request.method,
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? '' : url.slice(at),
    headers: request.headers,
    body: rawBody(request),
  });
}
