/**
 * The container inside @peculiar/x509 refuses to load without a metadata API on `Reflect`, which is no part of the
 * language. These are the four functions it calls; a full polyfill that was loaded before is left alone.
 * Import this before @peculiar/x509.
 */
type Target = object | null;
type MetadataHost = {
  getMetadata?(key: unknown, target: object): unknown;
  getOwnMetadata?(key: unknown, target: object): unknown;
  hasOwnMetadata?(key: unknown, target: object): boolean;
  defineMetadata?(key: unknown, value: unknown, target: object): void;
};

const host = Reflect as MetadataHost;

if (host.getMetadata === undefined) {
  const store = new WeakMap<object, Map<unknown, unknown>>();
  const own = (key: unknown, target: object) => store.get(target)?.get(key);
  host.getOwnMetadata = own;
  host.hasOwnMetadata = (key, target) => store.get(target)?.has(key) === true;
  host.getMetadata = (key, target) => {
    for (let at: Target = target; at !== null; at = Object.getPrototypeOf(at)) {
      const value = own(key, at);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  host.defineMetadata = (key, value, target) => {
    store.set(target, (store.get(target) ?? new Map()).set(key, value));
  };
}
