import type { TSchema } from '@sinclair/typebox';
import { compile, type Validator } from '@sitewarden/agent-proto/http';
import { relayErrors } from '../errors.ts';
import { parseJson } from '../lib/json.ts';

const compiled = new WeakMap<object, Validator<unknown>>();

export function validatorOf(schema: TSchema): Validator<unknown> {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    validator = compile(schema) as Validator<unknown>;
    compiled.set(schema, validator);
  }
  return validator;
}

/** A number or boolean written in an address becomes one, when its schema asks for it and nothing is lost. */
function unquote(schema: TSchema, values: Record<string, unknown>): Record<string, unknown> {
  const properties = schema.properties as Record<string, TSchema>;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
      const isNumber = type === 'integer' && typeof value === 'string' && /^-?(0|[1-9][0-9]{0,15})$/.test(value);
      return [name, isNumber ? Number(value) : value];
    }),
  );
}

/** What does not look like an id of ours names nothing. */
export function readParams(schema: TSchema | undefined, params: unknown): unknown {
  if (schema === undefined) return undefined;
  const result = validatorOf(schema)(unquote(schema, params as Record<string, unknown>));
  if (!result.ok) throw relayErrors.make('NOT_FOUND');
  return result.value;
}

export function readQuery(schema: TSchema | undefined, query: unknown): unknown {
  if (schema === undefined) return undefined;
  const result = validatorOf(schema)(unquote(schema, query as Record<string, unknown>));
  if (!result.ok) throw relayErrors.make('QUERY_INVALID', { field: result.field, detail: result.detail });
  return result.value;
}

/** Parses and checks a JSON body. Throws BODY_INVALID naming the field. */
export function readBody(schema: TSchema | undefined, raw: Buffer): unknown {
  if (schema === undefined) return undefined;
  const result = validatorOf(schema)(parseJson(raw));
  if (!result.ok) throw relayErrors.make('BODY_INVALID', { field: result.field, detail: result.detail });
  return result.value;
}
