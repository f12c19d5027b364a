import { createServer } from 'node:net';
import { startError } from './errors.ts';

export interface Ports {
  relay: number;
  local: number;
  intake: number;
}

const PREFERRED: Ports = { relay: 8443, local: 8080, intake: 50_051 };

/**
 * The ports of earlier runs stay the same, because claims and evidence name the relay by host and port; a port that is
 * free no more is replaced on the box's side and refused on the relay's. Loopback only.
 */
export async function choosePorts(earlier: Ports | undefined): Promise<Ports> {
  if (earlier && !(await isFree(earlier.relay))) {
    throw startError('PORT_TAKEN', {
      detail: `Port ${earlier.relay}, which this data folder's relay is known by, is taken`,
      field: 'ports.relay',
    });
  }
  return {
    relay: earlier?.relay ?? (await free(PREFERRED.relay)),
    local: await free(earlier?.local ?? PREFERRED.local),
    intake: await free(earlier?.intake ?? PREFERRED.intake),
  };
}

async function free(preferred: number): Promise<number> {
  return (await isFree(preferred)) ? preferred : await anyPort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function anyPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
