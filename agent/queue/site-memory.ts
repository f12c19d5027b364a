import { AgentConfig } from '@sitewarden/agent-proto/agent';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';

/** What the appliance last told, kept so that an agent started while the appliance is away knows what to check. */
export interface SiteMemory {
  readConfig(): AgentConfig | undefined;
  writeConfig(config: AgentConfig): void;
  /** Wall time of the last round of checks. */
  readLastCollected(): number | undefined;
  writeLastCollected(atMs: number): void;
}

export function createSiteMemory(db: SqliteDatabase): SiteMemory {
  const read = db.prepare<[], { site_config: Buffer | null; last_collected_at_ms: number | null }>(
    'SELECT site_config, last_collected_at_ms FROM agent_state WHERE id = 1',
  );
  return {
    readConfig() {
      const bytes = read.get()!.site_config;
      return bytes === null ? undefined : AgentConfig.decode(bytes);
    },
    writeConfig(config) {
      const bytes = AgentConfig.encode(config).finish();
      db.prepare('UPDATE agent_state SET site_config = ? WHERE id = 1').run(bytes);
    },
    readLastCollected: () => read.get()!.last_collected_at_ms ?? undefined,
    writeLastCollected(atMs) {
      db.prepare('UPDATE agent_state SET last_collected_at_ms = ? WHERE id = 1').run(atMs);
    },
  };
}
