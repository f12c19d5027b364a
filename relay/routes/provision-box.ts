import type { Claims } from '../claim/index.ts';
import { defineHandlers } from './context.ts';

/** Routes of boxes on their way in, and of the phone that reads a label. */
export function provisionBoxHandlers(claims: Claims) {
  return defineHandlers({
    provisionStart: ({ device, body, nowMs }) => claims.box.start(device, body, nowMs),
    provisionClaim: ({ device, body, nowMs }) => claims.present(device, body, nowMs),
    codeOpened: async ({ body, nowMs }) => {
      await claims.codes.opened(body.secret, nowMs);
      return { ok: true };
    },
    provisionStatus: ({ device, body, nowMs }) => claims.box.status(device, body, nowMs),
    provisionAck: async ({ device, body, nowMs }) => {
      await claims.box.ack(device, body, nowMs);
      return { ok: true };
    },
    provisionDoctor: async ({ device, body, nowMs }) => {
      await claims.box.tellDoctor(device, body, nowMs);
      return { ok: true };
    },
  });
}
