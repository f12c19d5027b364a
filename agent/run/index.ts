export { type DaemonOptions, runDaemon } from './daemon.ts';
export { type EnrollRequest, enrollAgent } from './enroll-agent.ts';
export { openLogFile } from './log-file.ts';
export { LOCK_FILE } from './state-file.ts';
export { type AgentStatus, readStatus } from './status.ts';
export { stopAgent } from './stop-agent.ts';
export { stopRequested } from './stop-request.ts';
export { AGENT_VERSION } from './version.ts';
