export { type ConnectionState, PUSH_RETRY, type PushOptions, runPush } from './push-loop.ts';
export { classifyEnd, type SessionEnd } from './session-end.ts';
