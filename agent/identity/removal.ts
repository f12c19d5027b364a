import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, syncFolder, writeFileAtomic } from '@sitewarden/kit/files';

export interface Removal {
  readonly agentId: string;
  readonly removedAtMs: number;
}

const fileOf = (dataDir: string): string => join(dataDir, 'removed.json');

/** Set by the appliance's PERMISSION_DENIED, cleared by a new enrolment; in between the agent does not run. */
export async function readRemoval(dataDir: string): Promise<Removal | undefined> {
  const bytes = await readFileIfExists(fileOf(dataDir));
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as Removal;
  } catch {
    // The file alone says that the agent was removed.
    return { agentId: '', removedAtMs: 0 };
  }
}

export async function writeRemoval(dataDir: string, removal: Removal): Promise<void> {
  await writeFileAtomic(fileOf(dataDir), `${JSON.stringify(removal)}\n`);
}

export async function clearRemoval(dataDir: string): Promise<void> {
  await rm(fileOf(dataDir), { force: true });
  await syncFolder(dataDir);
}
