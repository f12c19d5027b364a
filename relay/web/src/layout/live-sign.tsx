import { useLivePhase } from '../live/live-provider.tsx';
import css from './shell.module.css';

const WORDS = { connecting: 'Connecting', live: 'Live', stopped: 'Not live', offline: 'Offline' } as const;

/** Says whether what is on the page follows changes by itself. */
export function LiveSign() {
  const phase = useLivePhase();
  return (
    <span className={css.live} data-phase={phase}>
      <span className={css.dot} aria-hidden="true" />
      {WORDS[phase]}
    </span>
  );
}
