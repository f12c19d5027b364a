import { Button } from '@mantine/core';
import { Link } from 'react-router';
import type { SiteFilter } from '../../api/queries/sites.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { HEALTH } from '../../words/status.ts';

/** Nothing exists yet, or nothing fits the filter: two different sentences. */
export function SitesEmpty({ filter }: { filter: SiteFilter }) {
  const { role } = useSession();
  if (filter.search || filter.health) {
    const which = filter.health ? ` with health ${HEALTH[filter.health].word}` : '';
    const named = filter.search ? ` named like “${filter.search}”` : '';
    return (
      <EmptyState icon="search" title={`No site${which}${named}`} action={<Link to="/">Show all sites</Link>}>
        Nothing fits this filter right now.
      </EmptyState>
    );
  }
  if (!may(role, 'provision'))
    return (
      <EmptyState icon="box" title="No sites yet">
        An admin makes the first client and site. They appear here by themselves.
      </EmptyState>
    );
  return (
    <EmptyState
      icon="box"
      title="No sites yet"
      action={
        <Button component={Link} to="/provisioning">
          Set up the first site
        </Button>
      }
    >
      Make a client and a site, then a code for its box. The site appears here at once and follows its box live.
    </EmptyState>
  );
}
