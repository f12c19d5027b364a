import { relayErrors } from '../errors.ts';
import { createWitnessMetrics, createWitnessService } from '../witness/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function checkpointHandlers({ store, clock, keys, live, metrics }: Services) {
  const service = createWitnessService({ store, clock, keys, bus: live, metrics: createWitnessMetrics(metrics) });
  return defineHandlers({
    checkpoint: async ({ box, raw, request, reply }) => {
      try {
        return await service.addCheckpoint(box, raw);
      } catch (error) {
        // C2SP tlog-witness: a client that did not ask for JSON gets the cosigned size in the standard's own form.
        const size = relayErrors.is(error, 'CHECKPOINT_CONFLICT') ? error.data?.size : undefined;
        if (typeof size !== 'number' || request.headers.accept?.includes('application/json')) throw error;
        reply.code(409).type('text/x.tlog.size');
        return `${size}\n`;
      }
    },
  });
}
