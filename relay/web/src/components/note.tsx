import type { ReactNode } from 'react';
import { Icon } from '../icons/icon.tsx';
import type { IconName } from '../icons/paths.ts';
import type { Tone } from '../words/tone.ts';
import css from './note.module.css';

const ICONS: Record<Tone, IconName> = {
  ok: 'check',
  warn: 'triangle',
  bad: 'octagon',
  info: 'info',
  unknown: 'question',
  neutral: 'info',
};

interface NoteProps {
  tone: Tone;
  title?: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
  /** alert interrupts a screen reader; status waits. */
  role?: 'alert' | 'status';
}

export function Note({ tone, title, children, action, role }: NoteProps) {
  return (
    <div className={`${css.note} ${css[tone]}`} role={role}>
      <Icon name={ICONS[tone]} size={18} />
      <div className={css.words}>
        {title && <p className={css.title}>{title}</p>}
        {children && <div>{children}</div>}
      </div>
      {action && <div className={css.action}>{action}</div>}
    </div>
  );
}
