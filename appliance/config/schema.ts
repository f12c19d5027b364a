import { type Static, Type } from '@sinclair/typebox';

const port = (value: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 65_535, default: value, description });

const closed = <T extends Parameters<typeof Type.Object>[0]>(properties: T, description: string) =>
  Type.Object(properties, { additionalProperties: false, default: {}, description });

/** The one source of the file's keys, defaults and texts. */
export const ApplianceConfigSchema = Type.Object(
  {
    relay: Type.Object(
      {
        url: Type.String({
          // Over http codes and telemetry would cross the internet in clear; on the box itself there is no wire.
          pattern: '^(https://[^/@\\s]+|http://(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\])(:[0-9]{1,5})?)/?$',
          patternText: 'https:// and a host without a path (http:// only to localhost, 127.0.0.0/8 and [::1])',
          description:
            'Origin of the relay, like https://relay.example.com, without a path or credentials. Where its certificate is of an own CA, name that in relay.caFile',
        }),
        rootKey: Type.String({
          pattern: '^[A-Za-z0-9_-]{43}$',
          description: "The relay's root key: raw Ed25519 public key, base64url. Pinned; nothing else is believed",
        }),
        caFile: Type.Optional(
          Type.String({ description: 'PEM file with the only CA to trust for the relay; default: the system store' }),
        ),
        proxy: Type.Optional(
          Type.String({
            pattern: '^http://[^/@\\s]+/?$',
            description:
              'HTTP proxy the box reaches the relay through, like http://proxy.local:3128, without credentials',
          }),
        ),
        proxyCredentialsFile: Type.Optional(
          Type.String({ description: 'File, 0600, whose first line is name:password for the proxy' }),
        ),
      },
      { additionalProperties: false, description: 'Where the box reports to' },
    ),
    dataDir: Type.String({
      minLength: 1,
      default: '/var/lib/sitewarden',
      description: 'Folder of keys and database, 0700',
    }),
    identity: closed(
      {
        tpm: Type.Unsafe<'auto' | 'required' | 'off'>({
          type: 'string',
          enum: ['auto', 'required', 'off'],
          default: 'auto',
          description:
            'Seal the private keys to the TPM 2.0 of the machine: auto where there is one, required to start only with one, off to write them back plain',
        }),
        tcti: Type.Optional(
          Type.String({
            pattern: '^[a-z]+(:[^\\s]{1,200})?$',
            description: 'How the TPM is reached, as tpm2-tools says it; default: device:/dev/tpmrm0',
          }),
        ),
      },
      'The private keys of the box',
    ),
    intake: closed(
      {
        host: Type.String({ default: '0.0.0.0', description: 'Address workstation agents connect to' }),
        port: port(50_051, 'TCP port for agents; 0 picks a free one'),
        publicHost: Type.Array(Type.String({ minLength: 1, maxLength: 253 }), {
          default: [],
          maxItems: 32,
          description: 'Further names and addresses agents may use; they stand in the server certificate',
        }),
        reportsPerS: Type.Number({
          exclusiveMinimum: 0,
          default: 20,
          description:
            'Reports one agent may send in a second on average; a large one counts as one for each 16 KiB. A few in an hour are normal, more is a backlog',
        }),
        burst: Type.Integer({ minimum: 1, default: 200, description: 'Reports one agent may send at once' }),
      },
      'The gRPC server for workstation agents',
    ),
    local: closed(
      {
        host: Type.String({ default: '127.0.0.1', description: 'Address of the local page and sensor API' }),
        port: port(8080, 'TCP port of the local page and sensor API; 0 picks a free one'),
        hostNames: Type.Array(Type.String({ pattern: '^[A-Za-z0-9.-]{1,253}$' }), {
          default: [],
          maxItems: 32,
          description: 'Names the page may be opened by, besides IP addresses, localhost and *.local names',
        }),
      },
      'The page on the site and its API',
    ),
    installers: closed(
      {
        dir: Type.Optional(
          Type.String({
            minLength: 1,
            description: 'Folder with the installers of the workstation agent and their manifest.json; default: none',
          }),
        ),
        publicKey: Type.Optional(
          Type.String({
            pattern: '^[A-Za-z0-9_-]{43}$',
            description:
              'Raw Ed25519 public key, base64url, that must have signed the manifest; default: the digests alone count',
          }),
        ),
      },
      'The installers of the workstation agent that the page hands out',
    ),
    serial: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9._-]{1,64}$',
        description: 'Serial on the label; default: read from the hardware',
      }),
    ),
    model: Type.String({ default: 'generic', maxLength: 256, description: 'Model name shown when claiming' }),
    imageDigest: Type.String({
      pattern: '^(sha256:[0-9a-f]{64}|unpackaged)$',
      default: 'unpackaged',
      description: 'Digest of the image this box runs; set by the image build',
    }),
    logLevel: Type.Unsafe<'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'>({
      type: 'string',
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      default: 'info',
      description: 'How much is logged',
    }),
    services: closed(
      {
        pidfileDir: Type.Optional(
          Type.String({ description: 'Folder of declared services on hosts without a service manager' }),
        ),
      },
      'How services of the box itself are seen and restarted',
    ),
    checkin: closed(
      {
        intervalMs: Type.Integer({
          minimum: 1000,
          maximum: 3_600_000,
          default: 60_000,
          description: 'Time between check-ins, moved by up to 10 %; the relay may ask for another',
        }),
        wake: Type.Boolean({
          default: true,
          description: 'Keep a connection (MQTT over WebSocket) by which the relay says that orders wait',
        }),
      },
      'Phoning home',
    ),
    discovery: closed(
      {
        enabled: Type.Boolean({ default: true, description: 'Look for devices on the site network' }),
        interfaces: Type.Optional(
          Type.Array(Type.String({ pattern: '^[A-Za-z0-9@._-]{1,15}$' }), {
            description: 'Interfaces to look on; default: all with a private address',
          }),
        ),
      },
      'Devices on the site network',
    ),
    box: closed(
      {
        requiredServices: Type.Array(Type.String({ pattern: '^[A-Za-z0-9@._][A-Za-z0-9@._-]{0,63}$' }), {
          default: [],
          maxItems: 64,
          uniqueItems: true,
          description: 'Services that must run on the box itself',
        }),
      },
      'What the box checks on itself',
    ),
  },
  { additionalProperties: false },
);

export type ApplianceConfig = Static<typeof ApplianceConfigSchema>;
