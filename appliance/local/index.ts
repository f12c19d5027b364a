export { ADMIN_TOKEN_FILE } from './admin-token.ts';
export { createLocal, type Local, type LocalOptions } from './local.ts';
export type * from './services.ts';
export { CLAIM_PHASES, UPLINK_STATES } from './services.ts';
export type { LocalStatus } from './status.ts';
