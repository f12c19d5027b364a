export type GateFault = 'PACKET_TOO_LARGE' | 'PACKET_NOT_ALLOWED' | 'PACKET_MALFORMED' | 'TRAFFIC_TOO_MUCH';

export interface PacketGate {
  /** Looks at bytes in their order; what is wrong with them, or undefined. After a fault it must not be asked again. */
  take(chunk: Uint8Array, nowMs: number): GateFault | undefined;
}

/** CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT: a box has nothing to publish and nothing to acknowledge. */
const ALLOWED_TYPES = new Set([1, 8, 10, 12, 14]);
const MAX_LENGTH_BYTES = 4;
const MINUTE_MS = 60_000;

/**
 * Reads the fixed headers of MQTT packets and nothing else, before any parser holds a byte: a parser keeps what it has
 * of a packet until the rest comes, and a packet may name 256 MiB.
 */
export function createPacketGate({
  maxPacketBytes,
  maxBytesPerMinute,
}: {
  maxPacketBytes: number;
  maxBytesPerMinute: number;
}): PacketGate {
  let part: 'type' | 'length' | 'body' = 'type';
  let length = 0;
  let lengthBytes = 0;
  let budget = maxBytesPerMinute;
  let filledAtMs: number | undefined;

  function spend(bytes: number, nowMs: number): boolean {
    const passedMs = Math.max(0, nowMs - (filledAtMs ?? nowMs));
    filledAtMs = nowMs;
    budget = Math.min(maxBytesPerMinute, budget + (passedMs / MINUTE_MS) * maxBytesPerMinute) - bytes;
    return budget >= 0;
  }

  function takeLength(byte: number): GateFault | undefined {
    length += (byte & 127) * 128 ** lengthBytes;
    lengthBytes += 1;
    if (1 + lengthBytes + length > maxPacketBytes) return 'PACKET_TOO_LARGE';
    if (byte < 128) part = length === 0 ? 'type' : 'body';
    else if (lengthBytes === MAX_LENGTH_BYTES) return 'PACKET_MALFORMED';
    return undefined;
  }

  return {
    take(chunk, nowMs) {
      if (!spend(chunk.length, nowMs)) return 'TRAFFIC_TOO_MUCH';
      for (let at = 0; at < chunk.length; ) {
        if (part === 'body') {
          const step = Math.min(length, chunk.length - at);
          at += step;
          length -= step;
          if (length === 0) part = 'type';
          continue;
        }
        const byte = chunk[at] as number;
        at += 1;
        if (part === 'length') {
          const fault = takeLength(byte);
          if (fault !== undefined) return fault;
        } else {
          if (!ALLOWED_TYPES.has(byte >> 4)) return 'PACKET_NOT_ALLOWED';
          part = 'length';
          length = 0;
          lengthBytes = 0;
        }
      }
      return undefined;
    },
  };
}
