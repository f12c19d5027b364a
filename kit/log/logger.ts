import { type DestinationStream, type Logger, pino } from 'pino';
import { scrubObject } from './scrub-object.ts';
import { scrubText } from './values.ts';

export type { Logger } from 'pino';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export interface LoggerOptions {
  readonly name: string;
  readonly level: LogLevel;
  /** Default: standard output, written at once so that a crash loses no line. */
  readonly destination?: DestinationStream;
}

/**
 * A pino logger that hides secrets twice: objects by key name (at any depth, in child bindings and errors too) before
 * they are written, and the finished line by what secrets look like, which also covers text put together by hand.
 */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  return pino(
    {
      name,
      level,
      formatters: {
        level: (label) => ({ level: label }),
        bindings: scrubObject,
        log: scrubObject,
      },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: scrubText },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}
