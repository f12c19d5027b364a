import { parseArgs } from 'node:util';

export interface FleetOptions {
  appliances: number;
  minutes: number;
  /** Fixed time between two check-ins; undefined: what the relay asks for. */
  intervalMs: number | undefined;
  relay: { url: string; signInLink: string } | undefined;
  isJson: boolean;
  isHelp: boolean;
}

const MAX_APPLIANCES = 100_000;
const MAX_MINUTES = 7 * 24 * 60;

export const HELP = `Usage: npm run fleet-sim -- --appliances N --minutes M [--interval-s S] [--relay URL --sign-in-link LINK] [--json]

Claims N simulated boxes through the real claim route (a site and a pre-approved code each), then lets them check in for
M minutes, each at its own moment with 10 % jitter, along its chain of tokens. They push signed evidence with
checkpoints, and telemetry. Reports latency, arrivals, refusals and the memory of the relay. Ctrl-C ends it early.

  --appliances N      how many boxes, 1 to ${MAX_APPLIANCES}
  --minutes M         how long they live, fractions allowed
  --interval-s S      seconds between two check-ins (default: what the relay asks for, 60)
  --relay URL         a relay that runs already; its limits must allow the claims. Default: one of its own on loopback
                      with SQLite in a temporary folder, removed at the end, its limits raised
  --sign-in-link LINK one-time link of an admin of that relay
  --json              one line of JSON on stdout
  --help              this text

All boxes share this process and a pool of kept connections: a relay sees fewer sockets than from a real fleet.`;

/** Throws with the name of the argument that is missing or wrong. */
export function parseOptions(argv: string[]): FleetOptions {
  const { values } = parseArgs({
    args: argv,
    options: {
      appliances: { type: 'string' },
      minutes: { type: 'string' },
      'interval-s': { type: 'string' },
      relay: { type: 'string' },
      'sign-in-link': { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
    strict: true,
  });
  const isHelp = values.help ?? false;
  const { relay: url, 'sign-in-link': signInLink, 'interval-s': intervalS } = values;
  if ((url === undefined) !== (signInLink === undefined)) throw new Error('--relay and --sign-in-link go together');
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new Error('--relay must be a URL, like https://relay.example.org');
  }
  return {
    isHelp,
    isJson: values.json ?? false,
    appliances: isHelp ? 1 : number('--appliances', values.appliances, { min: 1, max: MAX_APPLIANCES, isWhole: true }),
    minutes: isHelp ? 1 : number('--minutes', values.minutes, { min: 0.01, max: MAX_MINUTES }),
    intervalMs: intervalS === undefined ? undefined : 1000 * number('--interval-s', intervalS, { min: 0.1, max: 3600 }),
    relay: url === undefined || signInLink === undefined ? undefined : { url: new URL(url).origin, signInLink },
  };
}

interface Bounds {
  min: number;
  max: number;
  isWhole?: boolean;
}

function number(name: string, text: string | undefined, { min, max, isWhole = false }: Bounds): number {
  if (text === undefined) throw new Error(`${name} is missing`);
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
  throw new Error(`${name} must be ${isWhole ? 'a whole number' : 'a number'} from ${min} to ${max}`);
}
