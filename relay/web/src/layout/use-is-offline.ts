import { useSyncExternalStore } from 'react';

function subscribe(listener: () => void) {
  globalThis.addEventListener('online', listener);
  globalThis.addEventListener('offline', listener);
  return () => {
    globalThis.removeEventListener('online', listener);
    globalThis.removeEventListener('offline', listener);
  };
}

/** True only when the device itself knows it has no network. */
export const useIsOffline = () => useSyncExternalStore(subscribe, () => !navigator.onLine);
