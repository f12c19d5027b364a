import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { agentErrors } from '../errors.ts';
import { openIdentity } from '../identity/index.ts';
import { copyQueue, openQueue } from '../queue/index.ts';
import { publisherKey } from './publisher.ts';
import { fetchManifest, pieceOf } from './source.ts';

export interface SelfCheckOptions {
  readonly dataDir: string;
  /** Undefined: as it was enrolled. */
  readonly applianceAddress: string | undefined;
}

/**
 * Of a new program beside the running old one: reads the identity, opens a copy of the queue and so brings it to its own
 * form, connects to the box by mTLS, and believes the manifest it finds there. Changes nothing but a folder it removes.
 */
export async function selfCheck({ dataDir, applianceAddress }: SelfCheckOptions): Promise<void> {
  const key = publisherKey();
  // It could never be replaced by order again.
  if (key === undefined) throw agentErrors.make('UPDATE_NOT_POSSIBLE', { detail: 'It has no key of a publisher' });
  const identity = await openIdentity(dataDir);
  const dir = await mkdtemp(join(dataDir, 'update-check-'));
  try {
    copyQueue(dataDir, dir);
    openQueue(dir, { maxRows: 1_000_000, maxAgeMs: Number.MAX_SAFE_INTEGER }).close();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  const client = identity.connect(applianceAddress ?? identity.applianceAddress);
  try {
    await fetchManifest(pieceOf(client), key);
  } finally {
    client.close();
  }
}
