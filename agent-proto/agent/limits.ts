/** Bounds of AGENT/1; a message outside them is refused with INVALID_ARGUMENT: sending it again does not help. */
export const AGENT_LIMITS = {
  maxMessageBytes: 1024 * 1024,
  maxResultsPerReport: 256,
  maxRmmFindingsPerReport: 64,
  maxFactsPerResult: 64,
  maxFactNameChars: 64,
  maxFactTextChars: 1024,
  maxFactListItems: 64,
  /** All facts of one result, heartbeat or receipt together, as JSON in UTF-8: an entry of evidence must hold them twice. */
  maxFactsBytes: 16 * 1024,
  maxTextChars: 1024,
  maxControls: 16,
  minNonceBytes: 16,
  maxNonceBytes: 64,
  maxCsrBytes: 4096,
  maxTokenChars: 128,
} as const;
