import type { Claims } from '../claim/index.ts';
import { defineHandlers } from './context.ts';

/** Routes of boxes on their way in. */
export function provisionBoxHandlers(claims: Claims) {
  return defineHandlers({
    provisionStart: ({ device, body, nowMs }) => claims.box.start(device, body, nowMs),
    provisionClaim: ({ device, body, nowMs }) => claims.present(device, body, nowMs),
    provisionStatus: ({ device, body, nowMs }) => claims.box.status(device, body, nowMs),
    provisionAck: async ({ device, body, nowMs }) => {
      await claims.box.ack(device, body, nowMs);
      return { ok: true };
    },
  });
}
