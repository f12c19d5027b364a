/** Check-ins: the token chain, the one small row, the answer. */
export { type CheckinMetrics, createCheckinMetrics } from './metrics.ts';
export { createNewestToken, judgeNewest, type NewestToken } from './newest-token.ts';
export { type CheckinBox, type CheckinDeps, type CheckinService, createCheckinService } from './service.ts';
export { judgeToken } from './token-chain.ts';
