/** DSSE v1 pre-authentication encoding: the bytes that are signed. Lengths count bytes, not characters. */
export function pae(payloadType: string, payload: Uint8Array): Uint8Array {
  const typeLength = Buffer.byteLength(payloadType, 'utf8');
  const head = Buffer.from(`DSSEv1 ${typeLength} ${payloadType} ${payload.length} `, 'utf8');
  return Buffer.concat([head, payload], head.length + payload.length);
}
