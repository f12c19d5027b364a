import type { ReactNode } from 'react';
import { Brand } from './brand.tsx';
import css from './phone-shell.module.css';
import { ThemeToggle } from './theme-toggle.tsx';

/** Frame of the pages made for a phone in one hand: one column, no navigation to get lost in. */
export function PhoneShell({ children }: { children: ReactNode }) {
  return (
    <div className={css.page}>
      <header className={css.head}>
        <Brand />
        <ThemeToggle />
      </header>
      <main className={css.main}>{children}</main>
    </div>
  );
}
