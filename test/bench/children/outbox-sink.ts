// A relay that believes everything: reads a body to its end and acknowledges it. The same for both sides of a benchmark.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveParent } from '../lib/child.ts';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const { firstSeq, count } = JSON.parse(body.subarray(0, body.indexOf(10)).toString('utf8'));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ackedThrough: firstSeq + count - 1, newRows: count }));
  });
});
server.listen(0, '127.0.0.1', () => serveParent({ port: (server.address() as AddressInfo).port }, async () => ({})));
