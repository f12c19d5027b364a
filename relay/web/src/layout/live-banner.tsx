import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { formatClock, formatDuration } from '../clock/format.ts';
import { relayClock } from '../clock/relay-clock.ts';
import { Note } from '../components/note.tsx';
import { useLive, useLivePhase } from '../live/live-provider.tsx';
import css from './shell.module.css';

/** Stands on every page while nothing comes in: since when, and how old what is shown may be. */
export function LiveBanner() {
  const store = useLive();
  const phase = useLivePhase();
  const client = useQueryClient();
  const silentS = useSyncExternalStore(relayClock.subscribe, () => Math.floor(store.silentForMs() / 1000));
  if (phase !== 'stopped' && phase !== 'offline') return null;
  const isOffline = phase === 'offline';
  const dataAtMs = relayClock.lastNamedMs;
  const from = dataAtMs === null ? '' : ` Showing data from ${formatClock(dataAtMs)}.`;
  const retry = () => {
    store.retryNow();
    void client.invalidateQueries();
  };
  return (
    <div className={css.banner}>
      <Note
        tone="warn"
        action={
          <Button size="xs" variant="default" onClick={retry}>
            Connect again
          </Button>
        }
      >
        <span role="alert" className="visually-hidden">
          {isOffline ? 'This device is offline.' : 'Live updates stopped.'}
          {from} The page keeps trying by itself.
        </span>
        <span aria-hidden="true">
          <strong>
            {isOffline ? 'This device is offline.' : `Live updates stopped ${formatDuration(silentS * 1000)} ago.`}
          </strong>
          {from} The page keeps trying by itself.
        </span>
      </Note>
    </div>
  );
}
