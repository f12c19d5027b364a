export interface Lru<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  deleteWhere(matches: (value: V) => boolean): void;
  readonly size: number;
}

/** Keeps the `max` entries used last; a Map remembers the order of insertion. */
export function createLru<K, V>(max: number): Lru<K, V> {
  const entries = new Map<K, V>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= max) return;
      const [oldest] = entries.keys();
      entries.delete(oldest as K);
    },
    deleteWhere(matches) {
      for (const [key, value] of entries) if (matches(value)) entries.delete(key);
    },
    get size() {
      return entries.size;
    },
  };
}
