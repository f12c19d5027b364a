import type { Logger } from '@sitewarden/kit/log';
import type { SqliteDatabase } from '@sitewarden/kit/sqlite';
import type { Clock } from '@sitewarden/kit/time';
import type { ApplianceConfig } from '../config/index.ts';
import type { ApplianceMetrics } from './metrics.ts';
import type { Signals } from './signals.ts';

/** What every feature gets. Features hand each other rows through `db`; `signals` only says when to look. */
export interface ApplianceContext {
  /** The one connection of the process: one writer, so no two features ever wait for each other's lock. */
  readonly db: SqliteDatabase;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: ApplianceConfig;
  readonly signals: Signals;
  readonly metrics: ApplianceMetrics;
}
