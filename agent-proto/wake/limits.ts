/** What the relay grants one connection, and what a client has to keep to. */
export const WAKE_LIMITS = {
  /** A whole MQTT packet from a client, fixed header included; CONNECT is the largest and has about 700. */
  maxPacketBytes: 2048,
  /** What one client may send in a minute: CONNECT, SUBSCRIBE and a PINGREQ now and then need a twentieth of it. */
  maxBytesPerMinute: 16_384,
  /** From the accepted connection to a CONNECT that verified. */
  connectWithinMs: 5000,
  /** Keep alive is asked for, in seconds, and within these bounds. */
  minKeepaliveS: 10,
  maxKeepaliveS: 300,
} as const;
