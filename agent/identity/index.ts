export { parseAddress } from './address.ts';
export { type AgentIdentity, openIdentity } from './agent-identity.ts';
export { type EnrollOptions, enroll } from './enroll.ts';
export { APPLIANCE_SERVER_NAME } from './pin.ts';
export { clearRemoval, type Removal, readRemoval, writeRemoval } from './removal.ts';
export { identityDir } from './store.ts';
export { readTokenFile, removeTokenFile, type TokenFile } from './token-file.ts';
