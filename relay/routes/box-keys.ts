import { announceTransition } from '../rotation/index.ts';
import { defineHandlers } from './context.ts';

export function boxKeyHandlers() {
  return defineHandlers({
    boxKeys: ({ box, body, inTenant, nowMs }) =>
      inTenant((trx) => announceTransition(trx, { box, request: body, nowMs })),
  });
}
