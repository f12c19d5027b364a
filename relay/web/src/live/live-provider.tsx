import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { keys } from '../api/keys.ts';
import { makeInvalidator } from './invalidate.ts';
import { type LivePhase, LiveStore } from './live-store.ts';

const LiveContext = createContext<LiveStore | null>(null);

/** Keeps the event stream open while somebody is signed in. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [store] = useState(() => new LiveStore());
  useEffect(
    () =>
      store.start({
        onChange: makeInvalidator(client),
        onResume: () => void client.invalidateQueries(),
        onRefused: () => void client.invalidateQueries({ queryKey: keys.session }),
      }),
    [store, client],
  );
  return <LiveContext value={store}>{children}</LiveContext>;
}

export function useLive(): LiveStore {
  const store = useContext(LiveContext);
  if (!store) throw new Error('useLive needs a LiveProvider above it');
  return store;
}

export function useLivePhase(): LivePhase {
  const store = useLive();
  return useSyncExternalStore(store.subscribe, store.phase);
}
