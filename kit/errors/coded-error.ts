/** What a program's table says about one code. `message` ends with the next step for whoever reads it. */
export interface ErrorEntry {
  /** HTTP status. */
  readonly status: number;
  /** gRPC status number; taken from `status` when left out. */
  readonly grpc?: number;
  readonly message: string;
}

export interface ErrorOptions {
  /** What happened this time, put before the table's sentence. Must hold no secret: it is shown and logged. */
  readonly detail?: string | undefined;
  /** The input field at fault, dotted. */
  readonly field?: string | undefined;
  readonly cause?: unknown;
  /** Values a program can act on, such as an expected sequence number. Sent to the peer. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

export interface ErrorBody {
  code: string;
  message: string;
  field?: string;
  data?: Readonly<Record<string, unknown>>;
}

/** An error a peer may see. `cause` and `stack` stay inside: `toJSON` leaves them out. */
export class CodedError<C extends string = string> extends Error {
  readonly code: C;
  readonly status: number;
  readonly grpc: number;
  declare readonly field?: string;
  declare readonly data?: Readonly<Record<string, unknown>>;

  constructor(code: C, entry: ErrorEntry, options: ErrorOptions = {}) {
    super(sentence(entry.message, options.detail), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.status = entry.status;
    this.grpc = entry.grpc ?? grpcFromHttp(entry.status);
    if (options.field !== undefined) this.field = options.field;
    if (options.data !== undefined) this.data = options.data;
  }

  toJSON(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.data === undefined ? {} : { data: this.data }),
    };
  }
}

export function isCodedError<C extends string = string>(error: unknown, code?: C): error is CodedError<C> {
  return error instanceof CodedError && (code === undefined || error.code === code);
}

function sentence(message: string, detail: string | undefined): string {
  if (detail === undefined || detail === '') return message;
  return `${detail}${/[.!?]$/.test(detail) ? '' : '.'} ${message}`;
}

const GRPC_BY_HTTP = new Map([
  [400, 3],
  [401, 16],
  [403, 7],
  [404, 5],
  [408, 4],
  [409, 10],
  [410, 5],
  [412, 9],
  [413, 8],
  [422, 3],
  [423, 9],
  [429, 8],
  [499, 1],
  [501, 12],
  [502, 14],
  [503, 14],
  [504, 4],
  [507, 8],
]);

/** gRPC status for an HTTP status; other 4xx are INVALID_ARGUMENT, the rest INTERNAL. */
export function grpcFromHttp(status: number): number {
  return GRPC_BY_HTTP.get(status) ?? (status >= 400 && status < 500 ? 3 : 13);
}
