import type { ReactNode } from 'react';
import { Icon } from '../icons/icon.tsx';
import css from './progress.module.css';

export interface ProgressStep {
  name: string;
  /** What is going on while this is the current step, and what to do when it takes long. */
  note: ReactNode;
  isDone: boolean;
}

/** Long work as steps in order: the first that is not done is the current one. */
export function Progress({ steps, label }: { steps: ProgressStep[]; label: string }) {
  const current = steps.findIndex((step) => !step.isDone);
  return (
    <ol className={css.steps} aria-label={label} aria-live="polite">
      {steps.map((step, index) => {
        const state = step.isDone ? 'done' : index === current ? 'current' : 'next';
        return (
          <li key={step.name} className={css[state]} aria-current={state === 'current' ? 'step' : undefined}>
            <span className={css.mark}>
              {state === 'done' ? <Icon name="check" /> : state === 'current' ? <span className={css.spin} /> : null}
            </span>
            <div>
              <span className={css.name}>{step.name}</span>
              <span className="visually-hidden">
                {state === 'done' ? ', done' : state === 'current' ? ', now' : ', later'}
              </span>
              {state !== 'next' && step.note && <p className="dim small">{step.note}</p>}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
