import { Link } from 'react-router';
import type { SiteFilter } from '../../api/queries/sites.ts';
import type { SiteList } from '../../api/types.ts';
import { formatCount } from '../../clock/format.ts';
import { Icon } from '../../icons/icon.tsx';
import { HEALTH, HEALTHS } from '../../words/status.ts';
import css from './health-filter.module.css';
import { filterPath } from './use-site-filter.ts';

/** Totals of the search, each a filter. They come with the rows: a total always leads to that many rows. */
export function HealthFilter({ filter, totals }: { filter: SiteFilter; totals: SiteList['totals'] | undefined }) {
  const choices = [null, ...HEALTHS] as const;
  return (
    <nav className={css.filter} aria-label="Filter by health">
      {choices.map((health) => {
        const sign = health ? HEALTH[health] : null;
        const isChosen = filter.health === health;
        return (
          <Link
            key={health ?? 'all'}
            to={filterPath(filter, isChosen ? null : health)}
            replace
            preventScrollReset
            className={css.choice}
            data-tone={sign?.tone ?? 'neutral'}
            aria-current={isChosen ? 'true' : undefined}
          >
            {sign && (
              <span className={css.icon}>
                <Icon name={sign.icon} size={15} />
              </span>
            )}
            <span>{sign?.word ?? 'All'}</span>
            <strong>{totals ? formatCount(totals[health ?? 'all']) : ' '}</strong>
          </Link>
        );
      })}
    </nav>
  );
}
