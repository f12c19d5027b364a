import type { Static } from './schema-type.ts';

const PORT = '([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';
const HOST_PORT = `^(\\[[0-9A-Fa-f:.]{2,45}\\]|[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?):${PORT}$`;

/** Of agent.yaml: keys, types, defaults and their text for people. */
export const AGENT_CONFIG_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    applianceAddress: {
      type: 'string',
      pattern: HOST_PORT,
      patternText: 'host:port, port 1 to 65535',
      description: 'Where the appliance of the site listens for agents, host:port. Left out: as in the token file.',
    },
    dataDir: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      description: "Folder of the identity and the queue. Left out: the operating system's place for such data.",
    },
    tokenFile: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      description:
        'Token file that `run` enrolls with when there is no identity yet; deleted after success. Left out: token.json in the data folder.',
    },
    siteCaFingerprint: {
      type: 'string',
      pattern: '^sha256:[0-9a-f]{64}$',
      patternText: 'sha256: and 64 digits of lower-case hex',
      description: 'SHA-256 of the site CA certificate (DER), sha256:<hex>. Needed when the token file has none.',
    },
    logLevel: {
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      default: 'info',
      description: 'How much is written to standard output.',
    },
    serviceManager: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'How services of this workstation are asked and restarted.',
      properties: {
        pidfileDir: {
          type: 'string',
          minLength: 1,
          maxLength: 512,
          description: 'Folder of declared services (NAME.json), looked at before those of the operating system.',
        },
      },
    },
    queue: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'Reports that wait for the appliance. The oldest are dropped, and counted, beyond these bounds.',
      properties: {
        maxRows: {
          type: 'integer',
          minimum: 100,
          maximum: 1_000_000,
          default: 10_000,
          description: 'Reports kept at most.',
        },
        maxAgeDays: { type: 'integer', minimum: 1, maximum: 365, default: 30, description: 'Days kept at most.' },
      },
    },
    updates: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'How staff may have this agent replaced by another version.',
      properties: {
        allowed: { type: 'boolean', default: true, description: 'Whether the order update_agent is followed at all.' },
        connectWithinMs: {
          type: 'integer',
          minimum: 1000,
          maximum: 3_600_000,
          default: 300_000,
          description: 'So long a new version has to connect to the appliance; then the one before is put back.',
        },
      },
    },
    overrides: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'Intervals used instead of those the appliance gives. For tests and demonstrations.',
      properties: {
        checkIntervalMs: {
          type: 'integer',
          minimum: 1000,
          maximum: 86_400_000,
          description: 'Between two rounds of checks, in milliseconds.',
        },
        heartbeatIntervalMs: {
          type: 'integer',
          minimum: 1000,
          maximum: 3_600_000,
          description: 'Between two heartbeats, in milliseconds.',
        },
      },
    },
  },
} as const;

export type AgentFileConfig = Static<typeof AGENT_CONFIG_SCHEMA>;
