import * as http from '@sitewarden/agent-proto/http';
import { CHECKIN_TOKEN_HEADER } from '@sitewarden/agent-proto/http-signature';
import * as custodyView from './contract/custody-views.ts';
import * as provisionView from './contract/provision-views.ts';
import { ROUTES, type RouteContract } from './contract/table.ts';
import * as userView from './contract/user-views.ts';
import * as view from './contract/views.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const TEXT_RESPONSES = new Set(['text/plain', 'text/event-stream', 'text/html']);

/** Object schemas that have a name of their own, found again by identity. */
function namedSchemas(): Map<object, string> {
  const named = new Map<object, string>();
  for (const module of [http, view, userView, provisionView, custodyView] as Record<string, unknown>[]) {
    for (const [name, value] of Object.entries(module)) {
      const isObjectSchema =
        typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'object';
      if (isObjectSchema && /^[A-Z]/.test(name)) named.set(value, name);
    }
  }
  return named;
}

/**
 * JSON Schema as OpenAPI 3.1 takes it. Named schemas become references. A record (one pattern for all its keys) is
 * written with `propertyNames`, which says the same and which generators of client types understand.
 */
function translate(schema: unknown, named: Map<object, string>, components: Map<string, Json>): Json {
  if (typeof schema !== 'object' || schema === null) return schema as Json;
  if (Array.isArray(schema)) return schema.map((item) => translate(item, named, components));
  const name = named.get(schema);
  if (name !== undefined) {
    if (!components.has(name)) {
      components.set(name, null);
      components.set(name, translateMembers(schema, named, components));
    }
    return { $ref: `#/components/schemas/${name}` };
  }
  return translateMembers(schema, named, components);
}

function translateMembers(schema: object, named: Map<object, string>, components: Map<string, Json>): JsonObject {
  const members = { ...schema } as Record<string, unknown>;
  const patterns = Object.entries((members.patternProperties as Record<string, unknown> | undefined) ?? {});
  const only = patterns.length === 1 && members.properties === undefined ? patterns[0] : undefined;
  if (only !== undefined) {
    delete members.patternProperties;
    members.propertyNames = { pattern: only[0] };
    members.additionalProperties = only[1];
  }
  return Object.fromEntries(
    Object.entries(members).map(([key, value]) => [key, translate(value, named, components)]),
  ) as JsonObject;
}

function securityOf(access: RouteContract['access']): Json[] {
  if (access === 'public' || access === 'link') return [];
  return access === 'box' || access === 'newBox' ? [{ boxSignature: [] }] : [{ staffSession: [] }];
}

function accessText(access: RouteContract['access']): string {
  const texts = {
    public: 'Anyone.',
    link: 'Whoever is about to sign in, with a one-time link, an invite or a password.',
    box: 'A claimed appliance, by its device key.',
    newBox: 'Any box whose signature verifies under the device key it names.',
  };
  return typeof access === 'string' ? texts[access] : `Staff: ${access.join(', ')}.`;
}

/** The OpenAPI 3.1 description of the routes, from the table alone; the same table gives the same bytes. */
export function openApiDocument(routes: Readonly<Record<string, RouteContract>> = ROUTES): JsonObject {
  const named = namedSchemas();
  const components = new Map<string, Json>();
  const toJson = (schema: unknown) => translate(schema, named, components);
  const paths: Record<string, JsonObject> = {};
  for (const [name, route] of Object.entries(routes)) {
    const path = route.url.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    const operations = paths[path] ?? {};
    operations[route.method.toLowerCase()] = operationOf(name, route, toJson);
    paths[path] = operations;
  }
  const sorted = Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sitewarden relay',
      version: '1',
      description: 'Times are Unix milliseconds. Every answer that is not 2xx carries a stable code and the next step.',
    },
    paths,
    components: {
      securitySchemes: {
        staffSession: {
          type: 'apiKey',
          in: 'cookie',
          name: 'sitewarden_session',
          description:
            'Requests that change something also carry the header `x-sitewarden: 1` and a same-origin Origin.',
        },
        boxSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'signature',
          description: 'HTTP Message Signatures (RFC 9421) by the device key, over a Content-Digest of the exact body.',
        },
      },
      schemas: sorted,
    },
  };
}

const CHECKIN_TOKEN_PARAMETER: Json = {
  name: CHECKIN_TOKEN_HEADER,
  in: 'header',
  required: false,
  description:
    'The token of the last check-in, covered by the signature. Needed once the box has checked in since its claim; without the newest one: 409 CHECKIN_FIRST.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$' },
};

function operationOf(name: string, route: RouteContract, toJson: (schema: unknown) => Json): JsonObject {
  const operation: JsonObject = {
    operationId: name,
    summary: route.summary,
    description: accessText(route.access),
    security: securityOf(route.access),
  };
  const parameters = [
    ...parametersOf('path', route.params, toJson),
    ...parametersOf('query', route.query, toJson),
    ...(route.isTokenAsked ? [CHECKIN_TOKEN_PARAMETER] : []),
  ];
  if (parameters.length > 0) operation.parameters = parameters;
  if (route.body !== undefined) {
    operation.requestBody = { required: true, content: { 'application/json': { schema: toJson(route.body) } } };
  } else if (route.consumes !== undefined) {
    operation.requestBody = { required: true, content: { [route.consumes]: { schema: { type: 'string' } } } };
  }
  operation.responses = {
    [String(route.status ?? 200)]: { description: route.summary, content: contentOf(route.response, toJson) },
    default: {
      description: 'What went wrong and what to do next',
      content: { 'application/json': { schema: toJson(http.ErrorBody) } },
    },
  };
  return operation;
}

function contentOf(response: RouteContract['response'], toJson: (schema: unknown) => Json): JsonObject {
  if (response === 'application/pdf') return { [response]: { schema: { type: 'string', format: 'binary' } } };
  if (typeof response === 'string') {
    if (!TEXT_RESPONSES.has(response)) throw new TypeError(`unknown response type ${response}`);
    return { [response]: { schema: { type: 'string' } } };
  }
  return { 'application/json': { schema: toJson(response) } };
}

function parametersOf(place: 'path' | 'query', schema: unknown, toJson: (schema: unknown) => Json): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, object>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, value]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: toJson(value),
  }));
}
