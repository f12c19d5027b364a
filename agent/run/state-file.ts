import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@sitewarden/kit/files';

/** In the data folder; held by the one agent that works on it. */
export const LOCK_FILE = 'agent.lock';

/** What `status` tells of a running agent. */
export interface AgentState {
  readonly pid: number;
  readonly agentId: string;
  readonly appliance: string;
  readonly connected: boolean;
  /** Why not connected, in one word. */
  readonly reason: string;
  readonly sinceMs: number;
}

const fileOf = (dataDir: string): string => join(dataDir, 'state.json');

/** Writes one after the other; a state that was overtaken is left out. Never throws: it is for people only. */
export function createStateWriter(dataDir: string): { write(state: AgentState): void; settled(): Promise<void> } {
  let next: AgentState | undefined;
  let writing: Promise<void> | undefined;
  async function drain(): Promise<void> {
    while (next !== undefined) {
      const state = next;
      next = undefined;
      await writeFileAtomic(fileOf(dataDir), `${JSON.stringify(state)}\n`).catch(() => {});
    }
    writing = undefined;
  }
  return {
    write(state) {
      next = state;
      writing ??= drain();
    },
    settled: async () => writing,
  };
}

export async function readState(dataDir: string): Promise<AgentState | undefined> {
  try {
    const bytes = await readFileIfExists(fileOf(dataDir));
    return bytes === undefined ? undefined : (JSON.parse(bytes.toString('utf8')) as AgentState);
  } catch {
    return undefined;
  }
}
