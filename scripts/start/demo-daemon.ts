// A daemon that `npm start` may stop: it answers on a loopback port of its own choosing and ends on SIGTERM.
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('running\n'));
server.listen(0, '127.0.0.1');
process.on('SIGTERM', () => server.close(() => process.exit(0)));
