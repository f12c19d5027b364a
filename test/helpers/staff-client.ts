import type { RouteName } from '../../relay/routes/contract/table.ts';
import { ROUTES } from '../../relay/routes/contract/table.ts';
import type { Answer } from './box.ts';

/** A browser's worth of a signed-in person: keeps the cookie, sends what our own page sends. */
export class StaffClient {
  readonly #url: string;
  cookie: string | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async signIn(signInUrl: string): Promise<Answer> {
    const token = signInUrl.split('#')[1];
    return this.request('POST', '/api/session', { token });
  }

  async request<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    extra: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const headers: Record<string, string> = {
      ...(this.cookie === undefined ? {} : { cookie: this.cookie }),
      ...(method === 'GET' ? {} : { 'x-sitewarden': '1', origin: this.#url }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...extra,
    };
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const set = response.headers.getSetCookie().find((line) => line.startsWith('sitewarden_session='));
    if (set !== undefined) this.cookie = set.split(';', 1)[0];
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
  }

  /** Calls a route of the contract by its name. */
  async call<T = Record<string, unknown>>(
    name: RouteName,
    { params = {}, body }: { params?: Record<string, string>; body?: unknown } = {},
  ): Promise<Answer<T>> {
    const { method, url } = ROUTES[name];
    const path = url.replaceAll(/:([A-Za-z]+)/g, (_, key: string) => params[key] ?? '');
    return this.request<T>(method, path, body);
  }
}
