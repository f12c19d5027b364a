import type { ReactNode } from 'react';
import { Icon } from '../icons/icon.tsx';
import type { Sign } from '../words/tone.ts';
import css from './tag.module.css';

interface TagProps {
  sign: Sign;
  /** Why; shown on hover. Where it matters it stands beside the tag as text too. */
  title?: string;
  /** Without its pill, for dense lines. */
  bare?: boolean;
  /** Follows the word, lighter: an age or a count. */
  children?: ReactNode;
}

/** Icon, word and colour of a value. Every badge, mark and state is drawn by this. */
export function Tag({ sign, title, bare, children }: TagProps) {
  return (
    <span className={`${css.tag} ${css[sign.tone]} ${bare ? css.bare : ''}`} title={title} data-tone={sign.tone}>
      <span className={css.word}>
        <Icon name={sign.icon} size={14} />
        {sign.word}
      </span>
      {children !== undefined && <span className={css.after}>{children}</span>}
    </span>
  );
}
