import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import mqttPacket, { type IConnectPacket, type Packet } from 'mqtt-packet';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';

export interface ScriptedBroker {
  readonly url: string;
  readonly port: number;
  readonly connects: IConnectPacket[];
  /** Of the next CONNECT. */
  returnCode: number;
  /** Sends to the newest connection. */
  send(packet: Packet | Uint8Array): void;
  hangUp(): void;
  /** Told when a client is subscribed. */
  onSubscribed: () => void;
}

/** An MQTT broker over WebSocket that does whatever a test wants it to, well or badly meant. */
export async function startScriptedBroker(
  teardown: (fn: () => void) => void,
  tls?: { key: string; cert: string },
): Promise<ScriptedBroker> {
  const server = tls === undefined ? createServer() : createTlsServer(tls);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    maxPayload: 4096,
    perMessageDeflate: false,
    handleProtocols: () => 'mqtt',
  });
  let newest: WebSocket | undefined;
  let write: (bytes: Uint8Array) => void = () => {};
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      newest = webSocket;
      webSocket.on('error', () => {});
      const stream = createWebSocketStream(webSocket);
      stream.on('error', () => {});
      write = (bytes) => void (stream.writable && stream.write(bytes));
      const parser = mqttPacket.parser();
      parser.on('packet', (packet: Packet) => {
        if (packet.cmd === 'connect') {
          broker.connects.push(packet);
          broker.send({ cmd: 'connack', returnCode: broker.returnCode, sessionPresent: false });
        } else if (packet.cmd === 'subscribe') {
          broker.send({ cmd: 'suback', messageId: packet.messageId as number, granted: [0] });
          broker.onSubscribed();
        } else if (packet.cmd === 'pingreq') broker.send({ cmd: 'pingresp' });
      });
      stream.on('data', (chunk: Buffer) => parser.parse(chunk));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  teardown(() => {
    for (const webSocket of sockets.clients) webSocket.terminate();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const broker: ScriptedBroker = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    connects: [],
    returnCode: 0,
    send: (packet) => write(packet instanceof Uint8Array ? packet : mqttPacket.generate(packet)),
    hangUp: () => newest?.terminate(),
    onSubscribed: () => {},
  };
  return broker;
}
