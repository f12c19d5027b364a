import type { Socket } from 'node:net';

const HEADER_BYTES = 5;
const HANDSHAKE_RECORD = 22;
/** Of a TLS record, by RFC 8446. */
const MAX_RECORD_BYTES = 2 ** 14;

/**
 * Calls `then` once all of the first TLS record is here: a whole ClientHello, as every client sends it. What cannot be one is
 * passed on at once, for TLS to refuse. The socket still holds every byte then, and nobody listens to it.
 */
export function awaitFirstRecord(socket: Socket, then: () => void): void {
  let head = Buffer.alloc(0);
  const look = () => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    head = Buffer.concat([head, chunk]);
    if (!isWhole(head)) return;
    socket.off('readable', look);
    socket.unshift(head);
    then();
  };
  socket.on('readable', look);
}

function isWhole(head: Buffer): boolean {
  if (head[0] !== HANDSHAKE_RECORD) return true;
  if (head.length < HEADER_BYTES) return false;
  const length = head.readUInt16BE(3);
  return length > MAX_RECORD_BYTES || head.length >= HEADER_BYTES + length;
}
