/** Made at the first call: a compiled schema costs megabytes, and many are never needed in a run. */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
