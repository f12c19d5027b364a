import { status as Grpc, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { AgentServiceClient, FetchInstallerResponse } from '@sitewarden/agent-proto/agent';
import {
  type InstallerManifest,
  isManifestSigned,
  MANIFEST_FILE,
  MAX_MANIFEST_BYTES,
  parseManifest,
  SIGNATURE_FILE,
} from '@sitewarden/agent-proto/installers';
import { agentErrors } from '../errors.ts';

/** What the box answered to one call. `retryMs`: a new try may help, after so long. */
export class FetchFault extends Error {
  readonly retryMs: number | undefined;
  readonly isMissing: boolean;

  constructor(error: ServiceError) {
    super(`The box answered ${Grpc[error.code] ?? error.code}`);
    this.isMissing = error.code === Grpc.NOT_FOUND;
    const told = Number(error.metadata?.get('retry-delay-ms')[0]);
    const isAsked = error.code === Grpc.RESOURCE_EXHAUSTED && Number.isFinite(told);
    // Without the trailer it is our own library that says so, of a message beyond its bound: asking again does not help.
    const mayPass = isAsked || [Grpc.UNAVAILABLE, Grpc.DEADLINE_EXCEEDED, Grpc.CANCELLED].includes(error.code);
    this.retryMs = mayPass ? Math.min(Math.max(isAsked ? told : 1000, 50), 60_000) : undefined;
  }
}

export type FetchPiece = (name: string, offset: number) => Promise<FetchInstallerResponse>;

const CALL_MS = 30_000;

/** Rejects with FetchFault. */
export const pieceOf =
  (client: AgentServiceClient): FetchPiece =>
  (name, offset) =>
    new Promise((resolve, reject) => {
      client.fetchInstaller({ name, offset }, new Metadata(), { deadline: Date.now() + CALL_MS }, (error, answer) =>
        error === null ? resolve(answer) : reject(new FetchFault(error)),
      );
    });

/**
 * The manifest of the box, signed by `publisherKey`; nothing of it is looked at before. Throws UPDATE_NO_INSTALLER,
 * UPDATE_NOT_SIGNED, UPDATE_DOWNLOAD_FAILED.
 */
export async function fetchManifest(fetchPiece: FetchPiece, publisherKey: string): Promise<InstallerManifest> {
  const manifest = await readSmall(fetchPiece, MANIFEST_FILE);
  if (manifest === undefined) throw agentErrors.make('UPDATE_NO_INSTALLER');
  const signature = (await readSmall(fetchPiece, SIGNATURE_FILE))?.toString('latin1').trim();
  if (!isManifestSigned(manifest, signature, publisherKey)) throw agentErrors.make('UPDATE_NOT_SIGNED');
  const read = parseManifest(manifest);
  if (read.ok) return read.manifest;
  throw agentErrors.make('UPDATE_NO_INSTALLER', { detail: `The manifest${read.detail}` });
}

/** A file that comes in one piece; undefined when the box has none. */
async function readSmall(fetchPiece: FetchPiece, name: string): Promise<Buffer | undefined> {
  try {
    const { data, totalBytes } = await fetchPiece(name, 0);
    if (totalBytes <= MAX_MANIFEST_BYTES && data.length === totalBytes) return data;
    throw agentErrors.make('UPDATE_DOWNLOAD_FAILED', { detail: `${name} is not whole` });
  } catch (error) {
    if (!(error instanceof FetchFault)) throw error;
    if (error.isMissing) return undefined;
    throw agentErrors.make('UPDATE_DOWNLOAD_FAILED', { detail: error.message, cause: error });
  }
}
