import type { ReactNode } from 'react';
import css from './section.module.css';

interface SectionProps {
  id: string;
  title: string;
  /** Beside the title: a count or a mark. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A titled part of a page; `id` can be linked to. */
export function Section({ id, title, aside, children }: SectionProps) {
  return (
    <section id={id} aria-labelledby={`${id}-title`} className={css.section}>
      <header className={css.head}>
        <h2 id={`${id}-title`} tabIndex={-1}>
          {title}
        </h2>
        {aside && <div className={css.aside}>{aside}</div>}
      </header>
      {children}
    </section>
  );
}
