export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { isSecretName } from './names.ts';
export { scrubLine, scrubObject } from './scrub-object.ts';
export { REDACTED, scrubText } from './values.ts';
