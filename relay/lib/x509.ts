export type X509 = typeof import('@peculiar/x509');

let loading: Promise<X509> | undefined;

/**
 * Loaded at the first claim, not at start: it costs a quarter of a second and 20 MB. Its container refuses to load
 * without a metadata API on `Reflect`, which no class used here relies on.
 */
export function loadX509(): Promise<X509> {
  const target = Reflect as unknown as Record<string, unknown>;
  target.getMetadata ??= () => undefined;
  target.getOwnMetadata ??= () => undefined;
  target.hasOwnMetadata ??= () => false;
  target.defineMetadata ??= () => undefined;
  loading ??= import('@peculiar/x509');
  return loading;
}
