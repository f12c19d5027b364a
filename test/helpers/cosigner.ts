import { generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { cosign, encodeVkey, NOTE_KEY_TYPES } from '@sitewarden/agent-proto/note';
import type { RelayKeyring } from '../../relay/keys/index.ts';

/** The cosigning half of a relay's keyring, in memory. */
export function makeCosigner(host: string): Pick<RelayKeyring, 'cosign' | 'vkey' | 'formerVkeys'> {
  const keys = { witness: generateEd25519(), mirror: generateEd25519() };
  return {
    cosign: (purpose, note, timestampS) =>
      cosign(note, {
        name: `${host}/${purpose}`,
        privateKey: privateKeyFromPem(keys[purpose].privateKeyPem),
        timestampS,
      }),
    formerVkeys: () => [],
    vkey: (purpose) =>
      encodeVkey({ name: `${host}/${purpose}`, publicKey: keys[purpose].publicKey, type: NOTE_KEY_TYPES.cosignature }),
  };
}
