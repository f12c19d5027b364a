import createClient from 'openapi-fetch';
import { relayClock } from '../clock/relay-clock.ts';
import { fromErrorBody, fromFailure } from './api-error.ts';
import type { paths } from './schema.d.ts';

const TIMEOUT_MS = 15_000;

/** The relay's public API, typed from its OpenAPI description. Same origin, so the session cookie rides along. */
export const api = createClient<paths>({
  baseUrl: globalThis.location.origin,
  // A page of another site can make a browser send a request, but not with a header of its own.
  headers: { 'x-sitewarden': '1' },
  fetch: (request) =>
    fetch(new Request(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]) })),
});

interface Call<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a successful answer. Throws ApiError for anything else. */
export async function take<T>(call: Promise<Call<T>>): Promise<T> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw fromFailure(cause);
  });
  if (!response.ok || data === undefined) throw fromErrorBody(response.status, error);
  observeTime(data, response);
  return data;
}

function observeTime(body: unknown, response: Response) {
  if (typeof body === 'object' && body !== null && 'asOfMs' in body && typeof body.asOfMs === 'number')
    relayClock.observe(body.asOfMs);
  else relayClock.observeDateHeader(response.headers.get('date'));
}
