import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { agentsQuery } from '../../../api/queries/site.ts';
import type { Agent } from '../../../api/types.ts';
import { plural } from '../../../clock/format.ts';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { compareAgents, fleetWords } from '../../../words/agents.ts';
import { AgentItem } from './agent-item.tsx';
import css from './agents.module.css';
import { NoAgents } from './no-agents.tsx';

const SHOWN = 10;

/** The workstations that need somebody most; all of them have a page of their own. */
export function AgentsSection({ siteId, hasBox }: { siteId: string; hasBox: boolean }) {
  const agents = useQuery(agentsQuery(siteId));
  return (
    <Section id="agents" title="Agents and their checks" aside={agents.data && fleetWords(agents.data.agents)}>
      <Loaded query={agents} what="The agents" skeleton={<RowsSkeleton rows={4} />}>
        {(list) => {
          if (list.agents.length === 0) return <NoAgents hasBox={hasBox} />;
          const sorted: Agent[] = [...list.agents].sort(compareAgents);
          return (
            <>
              {sorted.slice(0, SHOWN).map((agent) => (
                <AgentItem key={agent.id} siteId={siteId} agent={agent} asOfMs={list.asOfMs} />
              ))}
              <p className={css.more}>
                <Link to={`/sites/${siteId}/agents`}>
                  {sorted.length > SHOWN
                    ? `All ${plural(sorted.length, 'workstation')}, with filters and bulk actions`
                    : 'Workstations: compliance, filters, other management tools'}
                </Link>
              </p>
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
