export { cosignerName, hasKeys, initKeys, loadKeyring, ownPayload } from './keyring.ts';
export { KEY_STEPS, type KeyPhase, type KeyStep, stepKeys } from './rotate.ts';
export { sealTo } from './seal-to.ts';
export { type IssuedSiteConfig, issueSiteConfig, withinConfigRoom } from './site-config.ts';
export type { CosignPurpose, ReceiptKeys, RelayKeyring, StatementPurpose } from './types.ts';
