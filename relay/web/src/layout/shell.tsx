import { useCallback, useEffect, useRef, useState } from 'react';
import { NavLink, Outlet, useLocation } from 'react-router';
import { Icon } from '../icons/icon.tsx';
import { may } from '../session/rights.ts';
import { useSession } from '../session/session-gate.tsx';
import { Account } from './account.tsx';
import { Brand } from './brand.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { LiveBanner } from './live-banner.tsx';
import { LiveSign } from './live-sign.tsx';
import css from './shell.module.css';
import { ThemeToggle } from './theme-toggle.tsx';
import { useShortcuts } from './use-shortcuts.ts';

/** Frame of the pages for signed-in people. */
export function Shell() {
  const { role, partner } = useSession();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const openHelp = useCallback(() => setHelpOpen(true), []);
  useShortcuts(openHelp);
  const main = useFocusOnNavigation();
  return (
    <>
      <a href="#main" className={css.skip}>
        Skip to the content
      </a>
      <header className={css.header}>
        <div className={css.bar}>
          <Brand partner={partner.name} />
          <nav className={css.nav} aria-label="Pages">
            <NavLink to="/" end>
              Sites
            </NavLink>
            {may(role, 'provision') && <NavLink to="/provisioning">Provisioning</NavLink>}
            {may(role, 'managePeople') && <NavLink to="/people">People</NavLink>}
            {role === 'technician' && <NavLink to="/claim">Claim a box</NavLink>}
          </nav>
          <div className={css.tools}>
            <LiveSign />
            <ThemeToggle />
            <button type="button" className={css.iconButton} onClick={openHelp} title="Help (?)" aria-label="Help">
              <Icon name="question" size={18} />
            </button>
            <Account />
          </div>
        </div>
      </header>
      <LiveBanner />
      <main id="main" ref={main} tabIndex={-1} className={css.main}>
        <Outlet />
      </main>
      <HelpDialog isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </>
  );
}

const OWN_PAGE = /^\/sites\/[^/]+\/(agents|leave|quarantine)(\/|$)/;

/** The parts of a site's page share it; what has a page of its own does not. */
const pageOf = (pathname: string): string =>
  OWN_PAGE.test(pathname) ? pathname : (/^\/sites\/[^/]+/.exec(pathname)?.[0] ?? pathname);

/** A new page begins at its top for the keyboard and the screen reader too; the first one keeps the browser's focus. */
function useFocusOnNavigation() {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    const isSamePage = pageOf(pathname) === pageOf(before.current);
    before.current = pathname;
    if (isSamePage) return;
    globalThis.scrollTo(0, 0);
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}
