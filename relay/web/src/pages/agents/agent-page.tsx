import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { isApiError } from '../../api/api-error.ts';
import { agentsQuery, siteQuery } from '../../api/queries/site.ts';
import type { Agent } from '../../api/types.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Section } from '../../components/section.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { Tag } from '../../components/tag.tsx';
import { Icon } from '../../icons/icon.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { RESULT_STATE, resultState } from '../../words/agents.ts';
import { UPDATE_TIER } from '../../words/repairs.ts';
import { actionWords } from '../../words/work.ts';
import { NoSite } from '../site/no-site.tsx';
import { AgentChecks, AgentFacts, AgentTools } from './agent-detail.tsx';
import css from './agents-page.module.css';
import { waitingTarget } from './bulk.ts';
import { BulkProgress } from './bulk-progress.tsx';
import { HistorySection } from './history-section.tsx';
import { RemoveAgents } from './remove-agents.tsx';
import { AgentOrders } from './repairs/agent-orders.tsx';
import { AnyRepair } from './repairs/any-repair.tsx';
import { TierControl } from './tier-control.tsx';
import { useBulk } from './use-bulk.ts';
import { useHashScroll } from './use-hash-scroll.ts';

/** How is this workstation, and how was it over the last quarter? */
export function AgentPage() {
  const { siteId = '', agentId = '' } = useParams();
  const agents = useQuery(agentsQuery(siteId));
  const agent = agents.data?.agents.find(({ id }) => id === agentId);
  usePageTitle(agent?.hostname ?? 'Workstation');
  if (isApiError(agents.error) && [400, 404].includes(agents.error.status) && !agents.data) return <NoSite />;
  return (
    <Loaded query={agents} what="The workstation" skeleton={<RowsSkeleton rows={6} height={72} />}>
      {({ asOfMs }) =>
        agent ? <AgentBody siteId={siteId} agent={agent} asOfMs={asOfMs} /> : <NoAgent siteId={siteId} />
      }
    </Loaded>
  );
}

const NoAgent = ({ siteId }: { siteId: string }) => (
  <EmptyState
    icon="question"
    title="This site has no such workstation"
    action={<Link to={`/sites/${siteId}/agents`}>Go to the workstations</Link>}
  >
    Its agent was removed, it enrolled anew under another id, or the address is not whole.
  </EmptyState>
);

function AgentBody({ siteId, agent, asOfMs }: { siteId: string; agent: Agent; asOfMs: number }) {
  const { role } = useSession();
  const site = useQuery(siteQuery(siteId));
  const { bulk, isRunning, start, stop, clear } = useBulk(siteId);
  useHashScroll();
  const self = [waitingTarget(agent.id, agent.hostname)];
  return (
    <div className={css.page}>
      <header className={css.head}>
        <div>
          <p className="small">
            <Link to={`/sites/${siteId}`}>{site.data?.summary.name ?? 'The site'}</Link> <span className="dim">/</span>{' '}
            <Link to={`/sites/${siteId}/agents`}>Workstations</Link>
          </p>
          <h1>{agent.hostname}</h1>
          <p className={css.state}>
            <Tag sign={RESULT_STATE[resultState(agent)]} /> <StatusBadge status={agent.status} asOfMs={asOfMs} />{' '}
            <span className="dim small">{agent.status.reason}</span>
          </p>
        </div>
        {may(role, 'order') && (
          <div className={css.actions}>
            <Button
              leftSection={<Icon name="play" size={13} />}
              disabled={isRunning}
              onClick={() => start('run_check', self)}
            >
              Run check
            </Button>
            <Button size="xs" variant="default" disabled={isRunning} onClick={() => start('collect_diagnostics', self)}>
              Collect diagnostics
            </Button>
            {agent.tier >= UPDATE_TIER && (
              <Button size="xs" variant="default" disabled={isRunning} onClick={() => start('update_agent', self)}>
                {actionWords('update_agent')}
              </Button>
            )}
            <RemoveAgents
              agents={[agent]}
              whom={agent.hostname}
              isBusy={isRunning}
              onRemove={() => start('remove_agent', self)}
            />
          </div>
        )}
      </header>
      {bulk && <BulkProgress bulk={bulk} onStop={stop} onClose={clear} />}
      <div className={css.columns}>
        <div className={css.stack}>
          <Section id="checks" title="Checks now">
            <AgentChecks agent={agent} siteId={siteId} />
          </Section>
          <AgentOrders siteId={siteId} agent={agent} />
          <HistorySection siteId={siteId} agentId={agent.id} />
        </div>
        <div className={css.stack}>
          <Section id="about" title="About this workstation">
            <AgentFacts agent={agent} />
          </Section>
          <Section id="tier" title="Tier">
            <TierControl siteId={siteId} agent={agent} />
          </Section>
          {may(role, 'order') && agent.state === 'active' && <AnyRepair siteId={siteId} agent={agent} />}
          <Section id="tools" title="Other management tools">
            <AgentTools agent={agent} />
          </Section>
        </div>
      </div>
    </div>
  );
}
