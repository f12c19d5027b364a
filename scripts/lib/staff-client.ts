// The relay's staff API as a browser would call it, for scripts and tests.

export class StaffClientError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(`${status} ${code}: ${message}`);
    this.status = status;
    this.code = code;
  }
}

export interface StaffClient {
  readonly cookie: string;
  /** Throws StaffClientError when the answer is not 2xx. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** Trades a one-time link (`https://RELAY/sign-in#TOKEN`) for a session. */
export async function signIn(relayUrl: string, link: string): Promise<StaffClient> {
  const token = link.slice(link.indexOf('#') + 1);
  const answer = await sendAsBrowser(relayUrl, '', 'POST', '/api/session', { token });
  const cookie = (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  return {
    cookie,
    async call<T>(method: string, path: string, body?: unknown): Promise<T> {
      return (await (await sendAsBrowser(relayUrl, cookie, method, path, body)).json()) as T;
    },
  };
}

/** One call with whatever it answers. Throws StaffClientError when that is not 2xx. */
export async function sendAsBrowser(
  relayUrl: string,
  cookie: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  const answer = await fetch(new URL(path, relayUrl), {
    method,
    headers: {
      origin: new URL(relayUrl).origin,
      'x-sitewarden': '1',
      ...(cookie ? { cookie } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  if (answer.ok) return answer;
  const text = await answer.text();
  try {
    const error = JSON.parse(text) as { code: string; message: string };
    throw new StaffClientError(answer.status, error.code, error.message);
  } catch (error) {
    if (error instanceof StaffClientError) throw error;
    throw new StaffClientError(answer.status, 'NOT_JSON', text.slice(0, 200));
  }
}
