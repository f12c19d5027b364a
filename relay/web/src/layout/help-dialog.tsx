import { CloseButton } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { Tag } from '../components/tag.tsx';
import { CHECK_STATUS } from '../words/checks.ts';
import { EVIDENCE, FLEET, HEALTH } from '../words/status.ts';
import type { Sign } from '../words/tone.ts';
import css from './help-dialog.module.css';

const KEYS = [
  ['/', 'go to the search'],
  ['?', 'open this help'],
  ['Esc', 'leave the search or close this help'],
] as const;

const MEANINGS: readonly (readonly [Sign, string])[] = [
  [HEALTH.problem, 'somebody should act now'],
  [HEALTH.warning, 'may become a problem by itself'],
  [HEALTH.unknown, 'not known; neither good nor bad'],
  [FLEET.online, 'the last check-in is younger than 5 min'],
  [FLEET.stale, 'the last check-in is 5 to 15 min old'],
  [FLEET.offline, 'the last check-in is older than 15 min'],
  [FLEET.pending, 'has never checked in'],
  [CHECK_STATUS.unknown, 'the check could not find out; never counted as pass'],
  [EVIDENCE.cosigned, 'the relay has signed this state of the log too; a change would be found'],
  [EVIDENCE.pending, 'received, the relay’s signature is still to come'],
  [EVIDENCE.broken, 'the log does not fit what was signed before; do not trust it'],
];

export function HelpDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (isOpen && dialog && !dialog.open) dialog.showModal();
    if (!isOpen && dialog?.open) dialog.close();
  }, [isOpen]);
  return (
    <dialog ref={ref} className={css.dialog} onClose={onClose} aria-labelledby="help-title">
      <header className={css.head}>
        <h2 id="help-title">Help</h2>
        <CloseButton aria-label="Close the help" onClick={onClose} />
      </header>
      <h3>Keys</h3>
      <dl className={css.list}>
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h3>What the words mean</h3>
      <dl className={css.list}>
        {MEANINGS.map(([sign, means]) => (
          <div key={sign.word + means}>
            <dt>
              <Tag sign={sign} />
            </dt>
            <dd>{means}</dd>
          </div>
        ))}
      </dl>
      <p className="dim small">
        Ages count by the relay’s clock, not by the clock of this device. Hover or tap a relative time for the exact
        one.
      </p>
    </dialog>
  );
}
