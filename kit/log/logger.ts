import { type DestinationStream, type Logger, type LoggerOptions as PinoOptions, pino } from 'pino';
import { scrubLine, scrubObject } from './scrub-object.ts';

export type { Logger } from 'pino';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export interface LoggerOptions {
  readonly name: string;
  readonly level: LogLevel;
  /** Default: standard output, written at once so that a crash loses no line. */
  readonly destination?: DestinationStream;
}

/**
 * A pino logger that writes no secret. The finished line is read back and scrubbed by key name and by what secrets look
 * like: one place that also covers child bindings, serializers of other libraries, errors and their causes. pino's own
 * `redact` was rejected: it knows paths, not names at any depth.
 */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  const options: PinoOptions = {
    name,
    level,
    base: { pid: process.pid },
    formatters: { level: (label) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: { streamWrite: scrubLine, logMethod: scrubArguments },
  };
  return pino(options, destination ?? standardOutput());
}

/** A log that nobody takes, or for which the disk has no room, must not end the program. */
function standardOutput(): DestinationStream {
  const stream = pino.destination({ fd: 1, sync: true });
  stream.on('error', () => {});
  return stream;
}

/** Objects put into the text by %o lose their key names' meaning once they are text, so they are scrubbed before. */
const scrubArguments: NonNullable<NonNullable<PinoOptions['hooks']>['logMethod']> = function (args, method) {
  for (let i = 1; i < args.length; i++) {
    const value: unknown = args[i];
    if (typeof value === 'object' && value !== null) (args as unknown[])[i] = scrubObject(value);
  }
  method.apply(this, args);
};
