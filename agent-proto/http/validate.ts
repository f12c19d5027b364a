import type { Static, TSchema } from '@sinclair/typebox';
import { Ajv, type ErrorObject } from 'ajv';

export type Validation<T> = { ok: true; value: T } | { ok: false; field: string; detail: string };
export type Validator<T> = (value: unknown) => Validation<T>;

export interface Fault {
  /** A JSON pointer. */
  readonly field: string;
  readonly detail: string;
}

const options = {
  strict: true,
  strictSchema: false,
  strictTypes: false,
  discriminator: false,
  verbose: true,
} as const;

/** As `compile`, but it names every fault there is; none: the value fits. */
export function compileFaults(schema: TSchema): (value: unknown) => Fault[] {
  const validate = new Ajv({ ...options, allErrors: true }).compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(faultOf));
}

/** Compiles a schema once. The validator changes nothing, coerces nothing and names the first field at fault. */
export function compile<S extends TSchema>(schema: S): Validator<Static<S>> {
  const validate = new Ajv({ ...options, allErrors: false }).compile(schema);
  return (value) => {
    if (validate(value)) return { ok: true, value: value as Static<S> };
    return { ok: false, ...faultOf(validate.errors?.[0]) };
  };
}

/** What `make` makes of each name, once it is asked for: of many schemas few are needed in a run. */
export function onDemand<N extends string, T>(make: (name: N) => T): (name: N) => T {
  const made = new Map<N, T>();
  return (name) => {
    const known = made.get(name) ?? make(name);
    made.set(name, known);
    return known;
  };
}

function faultOf(error: ErrorObject | undefined): Fault {
  const extra = error?.params as { additionalProperty?: string; missingProperty?: string } | undefined;
  const name = extra?.additionalProperty ?? extra?.missingProperty;
  return {
    field: `${error?.instancePath ?? ''}${name ? `/${name}` : ''}` || '/',
    detail: (error && inWords(error)) ?? 'invalid',
  };
}

/** A pattern is for programs: where its schema is described, that is what a person is told. */
function inWords({ keyword, message, parentSchema }: ErrorObject): string | undefined {
  const description: unknown = parentSchema?.description;
  return keyword === 'pattern' && typeof description === 'string' ? `must be ${description}` : message;
}
