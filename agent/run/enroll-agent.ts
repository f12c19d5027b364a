import type { Logger } from '@sitewarden/kit/log';
import type { LoadedConfig } from '../config/index.ts';
import { agentErrors } from '../errors.ts';
import {
  type AgentIdentity,
  enroll,
  openIdentity,
  readRemoval,
  readTokenFile,
  removeTokenFile,
} from '../identity/index.ts';
import { readHostInfo } from '../telemetry/index.ts';
import { AGENT_VERSION } from './version.ts';

export interface EnrollRequest {
  readonly config: LoadedConfig['config'];
  /** `-` for standard input. */
  readonly tokenFile: string;
  /** host:port; before the token file's, which is before the configuration's. */
  readonly appliance?: string | undefined;
  /** Throws away an identity that is still good. */
  readonly replace?: boolean;
  readonly log: Logger;
}

/**
 * Reads the token, enrolls, stores the identity, deletes the token file. Throws ALREADY_ENROLLED and what `enroll` and
 * `readTokenFile` throw. The caller holds the lock of the data folder.
 */
export async function enrollAgent(request: EnrollRequest): Promise<AgentIdentity> {
  const { config, tokenFile, appliance, replace = false, log } = request;
  if (!replace && (await isEnrolled(config.dataDir))) throw agentErrors.make('ALREADY_ENROLLED');
  const file = await readTokenFile(tokenFile);
  if (file.isOpenToOthers) log.warn('other accounts of this machine can read the token file; make it mode 0600');
  await enroll({
    dataDir: config.dataDir,
    applianceAddress: appliance ?? file.applianceAddress ?? config.applianceAddress,
    token: file.token,
    // The configuration belongs to this machine's owner; a token file may have come by mail.
    caFingerprint: config.siteCaFingerprint ?? file.caFingerprint,
    host: readHostInfo(AGENT_VERSION),
    nowMs: Date.now(),
  });
  await removeTokenFile(tokenFile);
  return openIdentity(config.dataDir);
}

/** An identity that the appliance removed does not count. */
async function isEnrolled(dataDir: string): Promise<boolean> {
  if ((await readRemoval(dataDir)) !== undefined) return false;
  try {
    await openIdentity(dataDir);
    return true;
  } catch (error) {
    if (agentErrors.is(error, 'NOT_ENROLLED')) return false;
    throw error;
  }
}
