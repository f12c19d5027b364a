import { join } from 'node:path';
import { Report } from '@sitewarden/agent-proto/agent';
import Database from 'better-sqlite3';

export interface KeptReport {
  readonly seq: number;
  readonly report: Report;
}

/** What an appliance has on disk from one agent, in order of arrival. */
export function reportsOf(boxDataDir: string, agentId: string): KeptReport[] {
  const db = new Database(join(boxDataDir, 'appliance.db'), { readonly: true });
  try {
    const rows = db
      .prepare<[string], { seq: number; body: Buffer }>('SELECT seq, body FROM report WHERE source = ? ORDER BY id')
      .all(agentId);
    return rows.map(({ seq, body }) => ({ seq, report: Report.decode(body) }));
  } finally {
    db.close();
  }
}
