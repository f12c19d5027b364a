import { type TSchema, Type } from '@sinclair/typebox';

/** An object that refuses members it does not name. */
export const closed = <T extends Record<string, TSchema>>(properties: T, options: { description?: string } = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** A string of one of the given values. */
export const oneOf = <T extends readonly string[]>(values: T, description?: string) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...(description ? { description } : {}) });

export const Id = (prefix: string) => Type.String({ pattern: `^${prefix}_[a-z2-7]{26}$` });
export const UnixMs = Type.Integer({ minimum: 0, maximum: 253402300799999, description: 'Unix time in milliseconds' });
export const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Raw 32-byte public key, base64url without padding. */
export const PublicKey = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
export const Fingerprint = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });
/** 16 random bytes, base64url. */
export const Nonce = Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' });
export const Sha256Hex = Type.String({ pattern: '^[0-9a-f]{64}$' });
export const ShortText = Type.String({ maxLength: 256 });
export const Text = Type.String({ maxLength: 1024 });
/** The exact text of a DSSE envelope. */
export const EnvelopeText = Type.String({ maxLength: 80_000 });

/** Flat facts as AGENT/1 carries them: strings, integers, booleans, lists of strings. */
export const FactsObject = Type.Record(
  Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }),
  Type.Union([
    Text,
    Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
    Type.Boolean(),
    Type.Array(Text, { maxItems: 64 }),
  ]),
  { maxProperties: 64, additionalProperties: false },
);
