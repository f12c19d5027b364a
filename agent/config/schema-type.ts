/** The type of a value that passed a JSON schema written `as const`, after defaults: the schema stays the one source. */
export type Static<S> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly type: 'string' }
    ? string
    : S extends { readonly type: 'integer' | 'number' }
      ? number
      : S extends { readonly type: 'boolean' }
        ? boolean
        : S extends { readonly type: 'object'; readonly properties: infer P }
          ? { readonly [K in keyof P as HasDefault<P[K], K>]: Static<P[K]> } & {
              readonly [K in keyof P as LacksDefault<P[K], K>]?: Static<P[K]>;
            }
          : never;

type HasDefault<N, K> = N extends { readonly default: unknown } ? K : never;
type LacksDefault<N, K> = N extends { readonly default: unknown } ? never : K;
