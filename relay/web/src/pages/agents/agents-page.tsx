import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { isApiError } from '../../api/api-error.ts';
import { agentsQuery, siteQuery } from '../../api/queries/site.ts';
import { Loaded } from '../../components/loaded.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { NoAgents } from '../site/agents/no-agents.tsx';
import { NoSite } from '../site/no-site.tsx';
import { AgentList } from './agent-list.tsx';
import css from './agents-page.module.css';
import { FleetSummarySection } from './fleet-summary.tsx';
import { GroupsSection } from './groups/groups-section.tsx';
import { OverlapSection } from './overlap-section.tsx';
import { useHashScroll } from './use-hash-scroll.ts';

/** Are the workstations compliant? */
export function AgentsPage() {
  const { siteId = '' } = useParams();
  const site = useQuery(siteQuery(siteId));
  const agents = useQuery(agentsQuery(siteId));
  const name = site.data?.summary.name;
  usePageTitle(name ? `Workstations of ${name}` : 'Workstations');
  if (isApiError(agents.error) && [400, 404].includes(agents.error.status) && !agents.data) return <NoSite />;
  const hasBox = site.data?.appliance != null;
  return (
    <div className={css.page}>
      <header>
        <p className="small">
          <Link to="/">Sites</Link> <span className="dim">/</span>{' '}
          <Link to={`/sites/${siteId}`}>{name ?? 'The site'}</Link>
        </p>
        <h1>Workstations</h1>
        {site.data && hasBox && (
          <p className="small">
            The box that reports them is{' '}
            <StatusBadge status={site.data.summary.status} asOfMs={site.data.asOfMs} bare />
          </p>
        )}
      </header>
      <Loaded query={agents} what="The workstations" skeleton={<RowsSkeleton rows={8} height={54} />}>
        {(list) =>
          list.agents.length === 0 ? (
            <NoAgents hasBox={hasBox} />
          ) : (
            <>
              <HashScroll />
              <FleetSummarySection siteId={siteId} agents={list.agents} asOfMs={list.asOfMs} />
              <AgentList siteId={siteId} agents={list.agents} asOfMs={list.asOfMs} hasBox={hasBox} />
              <GroupsSection siteId={siteId} agents={list.agents} />
              <OverlapSection siteId={siteId} />
            </>
          )
        }
      </Loaded>
    </div>
  );
}

/** Made when the list is there: before, nothing has the id. */
function HashScroll() {
  useHashScroll();
  return null;
}
