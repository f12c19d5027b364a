import { readFile } from 'node:fs/promises';
import { privateKeyFromPem, rawPublicKey } from '@sitewarden/agent-proto/keys';
import { rootKeyPath } from '../../relay/keys/files.ts';

/** The public half of the root key of a relay that was just made, as boxes have it pinned. */
export async function rootPublicKeyOf(dataDir: string): Promise<string> {
  return rawPublicKey(privateKeyFromPem(await readFile(rootKeyPath(dataDir), 'utf8')));
}
