export { type DaemonOptions, runDaemon } from './daemon.ts';
export { type EnrollRequest, enrollAgent } from './enroll-agent.ts';
export { LOCK_FILE } from './state-file.ts';
export { type AgentStatus, readStatus } from './status.ts';
export { AGENT_VERSION } from './version.ts';
