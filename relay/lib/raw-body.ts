import type { FastifyRequest } from 'fastify';

const NO_BYTES = Buffer.alloc(0);

/** The body as it came; empty when there was none. */
export function rawBody(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NO_BYTES;
}
