import { type ReactNode, useId, useState } from 'react';
import { Icon } from '../icons/icon.tsx';
import css from './disclosure.module.css';

interface DisclosureProps {
  /** What a reader needs without opening it. Holds no controls: all of it is the button. */
  summary: ReactNode;
  children: ReactNode;
  startsOpen?: boolean;
}

/** A line that opens. What is inside is made only when it is open. */
export function Disclosure({ summary, children, startsOpen = false }: DisclosureProps) {
  const [isOpen, setOpen] = useState(startsOpen);
  const id = useId();
  return (
    <div className={css.item} data-open={isOpen}>
      <button
        type="button"
        className={css.button}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <span className={css.chevron}>
          <Icon name="chevron" size={14} />
        </span>
        <span className={css.summary}>{summary}</span>
      </button>
      <div id={id} hidden={!isOpen} className={css.body}>
        {isOpen && children}
      </div>
    </div>
  );
}
