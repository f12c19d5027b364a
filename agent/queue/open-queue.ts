import { join } from 'node:path';
import type { AgentConfig } from '@sitewarden/agent-proto/agent';
import { type OpenedDatabase, openDatabase, openOrSetAside } from '@sitewarden/kit/sqlite';
import { type Clock, systemClock } from '@sitewarden/kit/time';
import { agentErrors } from '../errors.ts';
import { createLossLedger, type Loss } from './loss-ledger.ts';
import { QUEUE_MIGRATIONS } from './migrations/index.ts';
import { createOrderLog, type OrderLog } from './order-log.ts';
import { createReportQueue, type QueueCaps, type ReportQueue } from './report-queue.ts';
import { createSiteMemory, type SiteMemory } from './site-memory.ts';

export interface AgentQueue {
  readonly reports: ReportQueue;
  readonly orders: OrderLog;
  readonly site: SiteMemory;
  /** Where a damaged file of before was moved. */
  readonly setAside: string | undefined;
  close(): void;
}

const fileOf = (dataDir: string): string => join(dataDir, 'queue.db');

/**
 * Opens the queue; a damaged file is moved aside and counted as a loss, and an empty one takes its place. Throws
 * DATA_DIR_UNUSABLE.
 */
export function openQueue(dataDir: string, caps: QueueCaps, clock: Clock = systemClock): AgentQueue {
  const { db, setAside } = openFile(fileOf(dataDir));
  const reports = createReportQueue(db, caps, clock);
  if (setAside !== undefined) createLossLedger(db, clock).count('queue_damaged', 1);
  return {
    reports,
    orders: createOrderLog(db, clock),
    site: createSiteMemory(db),
    setAside,
    close: () => db.close(),
  };
}

export interface QueueGlance {
  readonly depth: number;
  readonly lastSeq: number;
  readonly losses: readonly Loss[];
  /** What the appliance last asked for. */
  readonly siteConfig: AgentConfig | undefined;
}

/** For `status` beside a running agent: reads without a lock. undefined when there is no queue yet. */
export function glanceAtQueue(dataDir: string): QueueGlance | undefined {
  try {
    const db = openDatabase(fileOf(dataDir), { migrations: QUEUE_MIGRATIONS, readonly: true });
    try {
      const { depth, lastSeq, losses } = createReportQueue(db, { maxRows: 1, maxAgeMs: 1 }, systemClock);
      return { depth, lastSeq, losses: losses(), siteConfig: createSiteMemory(db).readConfig() };
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}

function openFile(path: string): OpenedDatabase {
  try {
    return openOrSetAside(path, { migrations: QUEUE_MIGRATIONS });
  } catch (cause) {
    throw agentErrors.make('DATA_DIR_UNUSABLE', { detail: `${path}: ${(cause as Error).message}`, cause });
  }
}
