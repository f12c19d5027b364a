/** A refused or failed request. `message` says what happened and what to do next. Status 0: no answer came at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | null;
  /** Values of the refusal that a page can act on. */
  readonly data: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    message: string,
    { field = null, data = {} }: { field?: string | null; data?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.field = field;
    this.data = data;
  }
}

export const isApiError = (error: unknown, code?: string): error is ApiError =>
  error instanceof ApiError && (code === undefined || error.code === code);

/** From the relay's error body, or from whatever a proxy on the way put in its place. */
export function fromErrorBody(status: number, body: unknown): ApiError {
  if (typeof body === 'object' && body !== null && 'code' in body && 'message' in body) {
    const field = 'field' in body && typeof body.field === 'string' ? body.field : null;
    const data = 'data' in body && typeof body.data === 'object' && body.data !== null ? { ...body.data } : {};
    return new ApiError(status, String(body.code), String(body.message), { field, data });
  }
  return new ApiError(
    status,
    `HTTP_${status}`,
    `Something on the way to the relay answered with status ${status}. Try again; if it stays, check the proxy before the relay.`,
  );
}

/** No answer, or one that is not the relay's. An ApiError passes through. */
export function fromFailure(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  if (cause instanceof SyntaxError)
    return new ApiError(
      0,
      'NOT_THE_RELAY',
      'Something else answered in place of the relay, often the sign-in page of a guest network. Sign in to that network or use another one.',
    );
  if (cause instanceof DOMException && cause.name === 'TimeoutError')
    return new ApiError(0, 'TIMEOUT', 'The relay did not answer within 15 s. Check the network, then try again.');
  return new ApiError(0, 'UNREACHABLE', 'The relay cannot be reached. Check the network, then try again.');
}
