export * from '../gen/sitewarden/agent/v1/agent.ts';
export { decodeReport } from './decode-report.ts';
export { decodeFacts, encodeFacts, type FactPrimitive, type Facts, factsBytes, fitFacts } from './facts.ts';
export { AGENT_LIMITS } from './limits.ts';
export {
  severityFromWire,
  severityToWire,
  statusFromWire,
  statusToWire,
  tierFromWire,
  tierToWire,
} from './names.ts';
