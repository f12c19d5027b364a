const PE_OFFSET_AT = 0x3c;
const OPTIONAL_HEADER_AT = 24;
const PE32_PLUS = 0x20b;
const CHECKSUM_AT = 64;
const SECURITY_ENTRY_AT = 112 + 4 * 8;

/**
 * node.exe is signed by its publisher. With the agent inside that signature is wrong, and a wrong one looks worse than
 * none: it is taken off, so that an own one can be put on. Throws for what is no 64-bit Windows executable.
 */
export function withoutSignature(executable: Buffer): Buffer {
  const header = executable.readUInt32LE(PE_OFFSET_AT);
  const optional = header + OPTIONAL_HEADER_AT;
  if (
    executable.toString('latin1', header, header + 4) !== 'PE\0\0' ||
    executable.readUInt16LE(optional) !== PE32_PLUS
  ) {
    throw new Error('not a 64-bit Windows executable');
  }
  const start = executable.readUInt32LE(optional + SECURITY_ENTRY_AT);
  const length = executable.readUInt32LE(optional + SECURITY_ENTRY_AT + 4);
  // The signature is the end of the file, or there is none; something after it would be cut off unseen.
  if (length > 0 && start + length !== executable.length)
    throw new Error('the signature is not at the end of the file');
  const plain = Buffer.from(length === 0 ? executable : executable.subarray(0, start));
  plain.writeUInt32LE(0, optional + SECURITY_ENTRY_AT);
  plain.writeUInt32LE(0, optional + SECURITY_ENTRY_AT + 4);
  // Zero says that nobody counted it; Windows asks for it only in drivers.
  plain.writeUInt32LE(0, optional + CHECKSUM_AT);
  return plain;
}
