import type { Headers, RequestParts } from './profile.ts';

/** Printable ASCII without space: all a method, authority, path or query may hold; above all no newline. */
const VISIBLE = /^[\x21-\x7e]+$/;
/** Field values may also hold spaces and tabs inside. */
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;
const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** RFC 9421, 2.1: values of one field joined with ", ", each trimmed, line folding undone. */
export function fieldValue(headers: Headers, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined) return undefined;
  const lines = typeof value === 'string' ? [value] : value;
  return lines.map((line) => line.trim().replace(/[ \t]*\r?\n[ \t]+/g, ' ')).join(', ');
}

export function queryValue(query: string): string {
  return query.startsWith('?') ? query : `?${query}`;
}

function componentValue(name: string, request: RequestParts): string | undefined {
  switch (name) {
    case '@method':
      return VISIBLE.test(request.method) ? request.method : undefined;
    case '@authority':
      return VISIBLE.test(request.authority) ? request.authority.toLowerCase() : undefined;
    case '@path': {
      const path = request.path === '' ? '/' : request.path;
      return VISIBLE.test(path) ? path : undefined;
    }
    case '@query': {
      const query = queryValue(request.query);
      return VISIBLE.test(query) ? query : undefined;
    }
    default: {
      const value = FIELD_NAME.test(name) ? fieldValue(request.headers, name) : undefined;
      return value !== undefined && FIELD_VALUE.test(value) ? value : undefined;
    }
  }
}

/**
 * RFC 9421, 2.5: the bytes-as-text that are signed. `components` without parameters; `params` is the serialized inner
 * list with its parameters, which becomes the last line. Undefined when a component is missing or unusable.
 */
export function signatureBase(
  components: readonly string[],
  params: string,
  request: RequestParts,
): string | undefined {
  let base = '';
  for (const name of components) {
    const value = componentValue(name, request);
    if (value === undefined) return undefined;
    base += `"${name}": ${value}\n`;
  }
  return `${base}"@signature-params": ${params}`;
}
