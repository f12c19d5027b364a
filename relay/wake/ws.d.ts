/** The package carries no types: the parts of it that are used. */
declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';

  export class WebSocket extends EventEmitter {
    close(code?: number, reason?: string): void;
    terminate(): void;
  }

  export class WebSocketServer extends EventEmitter {
    constructor(options: {
      noServer: true;
      clientTracking: boolean;
      maxPayload: number;
      perMessageDeflate: boolean;
      handleProtocols(offered: Set<string>): string | false;
    });
    readonly clients: Set<WebSocket>;
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (socket: WebSocket) => void): void;
    close(done?: () => void): void;
  }

  export function createWebSocketStream(socket: WebSocket, options?: { readableHighWaterMark?: number }): Duplex;
}
