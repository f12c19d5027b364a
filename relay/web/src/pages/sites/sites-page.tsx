import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { sitesQuery } from '../../api/queries/sites.ts';
import { formatCount, plural } from '../../clock/format.ts';
import { Loaded } from '../../components/loaded.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { useAnnounce } from '../../layout/announcer.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { ExportButton } from './export-button.tsx';
import { HealthFilter } from './health-filter.tsx';
import { SiteTable } from './site-table.tsx';
import { SitesEmpty } from './sites-empty.tsx';
import css from './sites-page.module.css';
import { useSiteFilter } from './use-site-filter.ts';

/** Which sites are not fine, since when, why, and what next? */
export function SitesPage() {
  usePageTitle('Sites');
  const { role } = useSession();
  const [filter, setFilter] = useSiteFilter();
  const sites = useInfiniteQuery(sitesQuery(filter));
  const totals = sites.data?.pages[0]?.totals;
  useSpokenProblems(totals?.problem);
  return (
    <div className={css.page}>
      <div className={css.tools}>
        <h1>Sites</h1>
        <HealthFilter filter={filter} totals={totals} />
        <div className={css.search}>
          <SearchField
            label="Search sites and clients"
            value={filter.search}
            onChange={(search) => setFilter({ search })}
          />
        </div>
        <ExportButton filter={filter} />
      </div>
      <Loaded query={sites} what="The sites" skeleton={<RowsSkeleton rows={10} height={54} />}>
        {({ pages }) => {
          const shown = pages.reduce((sum, page) => sum + page.sites.length, 0);
          const found = totals?.[filter.health ?? 'all'] ?? shown;
          if (shown === 0) return <SitesEmpty filter={filter} />;
          return (
            <div className={css.rows} data-old={sites.isPlaceholderData}>
              <SiteTable pages={pages} canOpen={may(role, 'viewSites')} />
              <p className={css.foot}>
                <span className="dim">
                  {shown < found ? `${formatCount(shown)} of ${plural(found, 'site')}` : plural(shown, 'site')}
                </span>
                {sites.hasNextPage && (
                  <Button
                    variant="default"
                    loading={sites.isFetchingNextPage}
                    onClick={() => void sites.fetchNextPage()}
                  >
                    Show more
                  </Button>
                )}
              </p>
            </div>
          );
        }}
      </Loaded>
    </div>
  );
}

/** A screen reader hears when the number of problems changes by itself. */
function useSpokenProblems(problems: number | undefined) {
  const announce = useAnnounce();
  const before = useRef(problems);
  useEffect(() => {
    if (problems !== undefined && before.current !== undefined && problems !== before.current)
      announce(`${plural(problems, 'site has', 'sites have')} a problem now, ${before.current} before.`);
    before.current = problems;
  }, [problems, announce]);
}
