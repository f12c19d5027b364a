import fp from 'fastify-plugin';
import { collectDefaultMetrics, Histogram, type Registry } from 'prom-client';

/** Counts and times requests by route, never by address or id. */
export const requestMetrics = fp<{ registry: Registry }>(
  async (app, { registry }) => {
    collectDefaultMetrics({ register: registry });
    const durations = new Histogram({
      name: 'relay_request_seconds',
      help: 'Time from the request to the end of the answer',
      labelNames: ['route', 'status'],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10],
      registers: [registry],
    });
    app.addHook('onResponse', async (request, reply) => {
      const { contract } = request.routeOptions.config;
      const route = contract?.name ?? 'other';
      const isStream = contract?.response === 'text/event-stream';
      if (!isStream) durations.observe({ route, status: reply.statusCode }, reply.elapsedTime / 1000);
      const tookMs = Math.round(reply.elapsedTime);
      request.log.debug({ method: request.method, route, status: reply.statusCode, tookMs }, 'request');
    });
  },
  { name: 'request-metrics' },
);
