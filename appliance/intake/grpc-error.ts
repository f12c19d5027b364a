import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { CodedError } from '@sitewarden/kit/errors';
import { applianceErrors } from '../errors.ts';

/** Retrying sooner would only find the same queue. */
const DEFAULT_RETRY_DELAY_MS = 1000;

/**
 * What a gRPC client sees: status, message, and as trailers `error-code` (stable), `error-field`, `expected-seq` and, with
 * RESOURCE_EXHAUSTED, `retry-delay-ms`. Anything that is not ours becomes INTERNAL without a word of its inside.
 */
export function toServiceError(error: unknown): Partial<ServiceError> & { code: status; details: string } {
  const coded = error instanceof CodedError ? error : applianceErrors.make('INTERNAL', { cause: error });
  const metadata = new Metadata();
  metadata.set('error-code', coded.code);
  if (coded.field !== undefined) metadata.set('error-field', coded.field);
  const { retryDelayMs, expectedSeq } = coded.data ?? {};
  if (typeof expectedSeq === 'number') metadata.set('expected-seq', String(expectedSeq));
  if (coded.grpc === status.RESOURCE_EXHAUSTED) {
    metadata.set('retry-delay-ms', String(typeof retryDelayMs === 'number' ? retryDelayMs : DEFAULT_RETRY_DELAY_MS));
  }
  return { code: coded.grpc, details: coded.message, metadata, name: coded.code, message: coded.message };
}

/** Storing failed: which of our codes says so best. */
export function storageError(error: unknown): CodedError {
  if (error instanceof CodedError) {
    if (error.code === 'QUEUE_FULL') return applianceErrors.make('INTAKE_BUSY', { data: { retryDelayMs: 500 } });
    if (error.code === 'QUEUE_CLOSED') return applianceErrors.make('STOPPING');
    if (error.code === 'SQLITE_REOPEN_NEEDED') return applianceErrors.make('DISK_FAILED', { cause: error });
    return error;
  }
  const code = String((error as { code?: unknown } | undefined)?.code);
  if (code === 'SQLITE_FULL') return applianceErrors.make('DISK_FULL', { cause: error, data: { retryDelayMs: 5000 } });
  if (code.startsWith('SQLITE_IOERR')) return applianceErrors.make('DISK_FAILED', { cause: error });
  return applianceErrors.make('INTERNAL', { cause: error });
}
