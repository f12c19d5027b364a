export type { Loss, LossReason } from './loss-ledger.ts';
export { QUEUE_MIGRATIONS } from './migrations/index.ts';
export { type AgentQueue, glanceAtQueue, openQueue, type QueueGlance } from './open-queue.ts';
export {
  MAX_UNDO_CHARS,
  type OrderLog,
  type OrderRef,
  type OrderRowState,
  type OrderUndo,
  type WaitingReceipt,
} from './order-log.ts';
export { copyQueue, dropKeptQueue, keepQueue, putQueueBack } from './queue-copy.ts';
export type { QueueCaps, QueuedReport, ReportQueue } from './report-queue.ts';
export type { SiteMemory } from './site-memory.ts';
export { createStoreHealth, type StoreFault, type StoreHealth } from './store-health.ts';
