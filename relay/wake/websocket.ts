import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WAKE_LIMITS, WAKE_PATH, WAKE_SUBPROTOCOL } from '@sitewarden/agent-proto/wake';
import { createWebSocketStream, WebSocketServer } from 'ws';

export interface WakeSockets {
  /** Answers the upgrade and hands the connection on as a stream of bytes. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

/** Any other wish to upgrade is answered as the plain request it also is. */
export function isWakeUpgrade({ url, headers }: IncomingMessage): boolean {
  const path = url?.split('?', 1)[0];
  return path === WAKE_PATH && headers.upgrade?.toLowerCase() === 'websocket';
}

export const offersMqtt = ({ headers }: IncomingMessage): boolean =>
  headers['sec-websocket-protocol']?.split(',').some((name) => name.trim() === WAKE_SUBPROTOCOL) === true;

/** MQTT over WebSocket (MQTT 3.1.1, 6): binary messages whose ends mean nothing. */
export function createWakeSockets({
  onStream,
  onRefused,
}: {
  onStream(stream: Duplex, request: IncomingMessage): void;
  onRefused(code: string): void;
}): WakeSockets {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    maxPayload: WAKE_LIMITS.maxPacketBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(WAKE_SUBPROTOCOL) ? WAKE_SUBPROTOCOL : false),
  });
  return {
    upgrade(request, socket, head) {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('message', (_data: unknown, isBinary: boolean) => {
          if (!isBinary) webSocket.terminate();
        });
        webSocket.on('error', ({ code }: NodeJS.ErrnoException) => {
          if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') onRefused('PACKET_TOO_LARGE');
        });
        onStream(createWebSocketStream(webSocket, { readableHighWaterMark: WAKE_LIMITS.maxPacketBytes }), request);
      });
    },
    close() {
      for (const webSocket of server.clients) webSocket.terminate();
      server.close();
    },
  };
}
