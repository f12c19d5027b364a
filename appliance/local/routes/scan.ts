import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { SCAN_SCRIPT } from '../page/scan-script.ts';

/** The decoder is for browsers: this process only hands out its files, under the names they import each other by. */
const DECODER = {
  'decode.js': () => import.meta.resolve('qr/decode.js'),
  'index.js': () => import.meta.resolve('qr'),
} as const;

/** What the page needs to read a label with a camera. */
export function scanRoutes(app: FastifyInstance): void {
  app.get('/scan/scan.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(SCAN_SCRIPT));
  for (const [name, resolve] of Object.entries(DECODER)) {
    app.get(`/scan/${name}`, async (_request, reply) => {
      const path = fileURLToPath(resolve());
      return reply.type('text/javascript; charset=utf-8').send(await readFile(path));
    });
  }
}
