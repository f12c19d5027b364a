/** Codes of the contract itself. Each sentence says what happened and what to do next. */
export const PROTO_ERRORS = {
  CANONICAL_VALUE:
    'The value holds something outside the canonical profile (strings, safe integers, booleans, null, arrays, objects). Send only those.',
  CANONICAL_FORM: 'The bytes are not the canonical form of what they say. Serialize with RFC 8785 before signing.',
  KEY_FORMAT: 'The public key is not 32 raw bytes in base64url. Send the raw Ed25519 key.',
  DSSE_FORMAT:
    'The envelope is not a strict DSSE envelope with exactly one signature. Encode it as docs/protocols says.',
  DSSE_SIGNATURE: 'The envelope signature does not verify under the expected key. Check which key signed it.',
  DSSE_SIZE: 'The envelope is larger than 60000 bytes. Put less into one entry.',
  NOTE_FORMAT: 'The text is not a signed note as C2SP defines it. Re-create the checkpoint.',
  NOTE_SIGNATURE: 'No known key verifies the note. Check the verifier keys.',
  FRONTIER_FORMAT: 'The stored tree edge is damaged. Rebuild it from the stored leaf hashes.',
  TREE_RANGE: 'The tree holds no such leaf, size or node. Ask within the current tree size.',
  VKEY_FORMAT: 'The text is not a verifier key (name+hash+base64). Copy the whole key again.',
  CHECKPOINT_FORMAT: 'The note text is not a checkpoint as C2SP defines it. Re-create the checkpoint.',
  ADD_CHECKPOINT_FORMAT: 'The text is not an add-checkpoint request as C2SP tlog-witness defines it. Encode it again.',
  HTTP_SIGNATURE_INPUT: 'The request cannot be signed as it is. Correct the named field.',
} as const;

export type ProtoErrorCode = keyof typeof PROTO_ERRORS;
