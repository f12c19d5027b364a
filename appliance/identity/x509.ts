export type X509 = typeof import('@peculiar/x509');

let loading: Promise<X509> | undefined;

/**
 * Loaded at the first certificate to be made, not at start: it costs a quarter of a second and 20 MB, and most starts
 * make none. Its container refuses to load without a metadata API on `Reflect`, which no class used here relies on.
 */
export function loadX509(): Promise<X509> {
  const target = Reflect as unknown as Record<string, unknown>;
  target.getMetadata ??= () => undefined;
  target.getOwnMetadata ??= () => undefined;
  target.hasOwnMetadata ??= () => false;
  target.defineMetadata ??= () => undefined;
  loading ??= import('@peculiar/x509');
  return loading;
}

export const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const ECDSA_SHA256 = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Certificates are valid from long ago: a clock that is set back must not make one "not yet valid". */
export const NOT_BEFORE = new Date('2020-01-01T00:00:00Z');
/** RFC 5280: no well-defined expiration. */
export const NEVER = new Date('9999-12-31T23:59:59Z');

/** 16 random bytes; the first bit is clear, so the DER integer stays positive and 16 bytes long. */
export function newSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
