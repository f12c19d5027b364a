import { join } from 'node:path';
import { isLocked } from '@sitewarden/kit/files';
import { agentErrors } from '../errors.ts';
import { openIdentity, readRemoval } from '../identity/index.ts';
import { glanceAtQueue, type QueueGlance } from '../queue/index.ts';
import { type Room, readRoom } from './room.ts';
import { LOCK_FILE, readState } from './state-file.ts';

export interface AgentStatus {
  readonly state: 'not_enrolled' | 'removed' | 'damaged' | 'stopped' | 'waiting' | 'connected';
  readonly agentId: string | undefined;
  readonly appliance: string | undefined;
  readonly certificateUntilMs: number | undefined;
  /** Why the agent waits, and since when this state holds. */
  readonly reason: string | undefined;
  readonly sinceMs: number | undefined;
  readonly queue: QueueGlance | undefined;
  /** Of the volume with the data folder; a full one keeps the agent from storing what it finds. */
  readonly disk: Room | undefined;
}

/** Reads what a running or stopped agent left in its folder; changes nothing. */
export async function readStatus(dataDir: string): Promise<AgentStatus> {
  const queue = glanceAtQueue(dataDir);
  const last = await readState(dataDir);
  const removal = await readRemoval(dataDir);
  const base = {
    queue,
    disk: readRoom(dataDir),
    reason: undefined,
    appliance: last?.appliance,
    sinceMs: last?.sinceMs,
  };
  try {
    const identity = await openIdentity(dataDir);
    const known = { ...base, agentId: identity.agentId, certificateUntilMs: identity.notAfterMs };
    if (removal !== undefined) return { ...known, state: 'removed', sinceMs: removal.removedAtMs };
    // A pid may be another process by now; the lock goes with the agent that held it.
    if (last === undefined || !isLocked(join(dataDir, LOCK_FILE))) return { ...known, state: 'stopped' };
    if (last.connected) return { ...known, state: 'connected' };
    return { ...known, state: 'waiting', reason: last.reason };
  } catch (error) {
    const state = agentErrors.is(error, 'NOT_ENROLLED') ? 'not_enrolled' : 'damaged';
    return { ...base, state, agentId: undefined, certificateUntilMs: undefined };
  }
}
