import { type Static, Type } from '@sinclair/typebox';

const closed = { additionalProperties: false } as const;

const Path = (description: string) => Type.String({ minLength: 1, maxLength: 4096, description });

const SqliteStore = Type.Object({ kind: Type.Literal('sqlite') }, closed);
const PostgresStore = Type.Object(
  {
    kind: Type.Literal('postgres'),
    connectionStringFile: Path(
      'file with the connection string of a role that is a member of sitewarden_app, neither superuser nor owner',
    ),
    migrateConnectionStringFile: Type.Optional(
      Path('file with the connection string of the owner of the tables; without it `migrate` is run by hand'),
    ),
    maxConnections: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 500, description: 'connections of this process; 10 when left out' }),
    ),
  },
  closed,
);

/** The one source of names, types, defaults and texts of the relay's configuration. */
export const RelayConfigSchema = Type.Object(
  {
    publicUrl: Type.Optional(
      Type.String({
        pattern: '^https?://([a-z0-9.-]+|\\[[0-9a-f:]+\\])(:[0-9]{1,5})?$',
        maxLength: 255,
        description:
          'address boxes and people use, in lower case and without a path: https://relay.example.org; left out, it is the address listened on',
      }),
    ),
    listen: Type.Object(
      {
        host: Type.String({ minLength: 1, default: '127.0.0.1', description: 'address to listen on' }),
        port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8443, description: 'port; 0 takes any free one' }),
      },
      { ...closed, default: {} },
    ),
    dataDir: Path('folder of the keys and of the SQLite store'),
    store: Type.Union([SqliteStore, PostgresStore], { default: { kind: 'sqlite' } }),
    trustProxy: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'addresses or networks of reverse proxies whose X-Forwarded-For is believed',
    }),
    logLevel: Type.Union(
      (['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const).map((level) => Type.Literal(level)),
      { default: 'info', description: 'what is logged' },
    ),
    limits: Type.Object(
      {
        requestsPerMinute: Type.Integer({
          minimum: 1,
          maximum: 10_000_000,
          default: 3000,
          description: 'requests of people from one address',
        }),
        boxRequestsPerMinute: Type.Integer({
          minimum: 1,
          maximum: 10_000_000,
          default: 1200,
          description: 'requests of one claimed box, and of all unknown ones at one address together',
        }),
        claimsPerMinute: Type.Integer({
          minimum: 1,
          maximum: 10_000_000,
          default: 300,
          description: 'requests of unclaimed boxes from one address; each polls every 2 s',
        }),
        signInsPerMinute: Type.Integer({
          minimum: 1,
          maximum: 10_000_000,
          default: 20,
          description: 'tries to sign in from one address: one-time links, invites and passwords',
        }),
        eventStreams: Type.Integer({
          minimum: 1,
          maximum: 100_000,
          default: 1000,
          description:
            'dashboards that follow changes at the same time; each browser needs one, a session gets 10 at most',
        }),
      },
      { ...closed, default: {} },
    ),
    wake: Type.Object(
      {
        enabled: Type.Boolean({
          default: true,
          description: 'wake boxes by MQTT over WebSocket at /mqtt; without it orders wait for the next check-in',
        }),
        maxConnections: Type.Integer({
          minimum: 1,
          maximum: 1_000_000,
          default: 10_000,
          description: 'boxes connected to this process at the same time; each costs about 50 KB',
        }),
        tls: Type.Optional(
          Type.Object(
            {
              host: Type.String({ minLength: 1, default: '0.0.0.0', description: 'address to listen on' }),
              port: Type.Integer({
                minimum: 0,
                maximum: 65_535,
                default: 8883,
                description: 'port; 0 takes any free one',
              }),
              certFile: Path('file with the certificate and its chain, PEM; read anew every hour'),
              keyFile: Path('file with the private key of the certificate, PEM'),
            },
            { ...closed, description: 'the same broker as plain MQTT over TLS, for clients without WebSocket' },
          ),
        ),
      },
      { ...closed, default: {} },
    ),
    metricsTokenFile: Type.Optional(
      Path('file with the bearer token that reads /metrics from elsewhere; without it only this host can'),
    ),
  },
  closed,
);

export type RelayConfig = Static<typeof RelayConfigSchema>;
