import { NavLink } from 'react-router';
import css from './section-nav.module.css';

const SECTIONS = [
  ['incidents', 'Incidents'],
  ['agents', 'Agents'],
  ['evidence', 'Evidence'],
  ['devices', 'Devices'],
  ['appliance', 'Appliance'],
  ['seen', 'Seen'],
  ['orders', 'Orders'],
  ['settings', 'Settings'],
  ['secrets', 'Secrets'],
  ['custody', 'Release'],
  ['timeline', 'Timeline'],
] as const;

/** Links to the parts of the page; each is an address of its own. The agents have a page of their own. */
export function SectionNav({ siteId, hasSettings }: { siteId: string; hasSettings: boolean }) {
  return (
    <nav className={css.nav} aria-label="Parts of this site">
      {SECTIONS.filter(([id]) => hasSettings || (id !== 'settings' && id !== 'secrets')).map(([id, name]) => (
        <NavLink key={id} to={`/sites/${siteId}/${id}`} preventScrollReset>
          {name}
        </NavLink>
      ))}
    </nav>
  );
}
