import { useQuery } from '@tanstack/react-query';
import { agentsQuery } from '../../../api/queries/site.ts';
import type { Agent } from '../../../api/types.ts';
import { EmptyState } from '../../../components/empty-state.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { ShortList } from '../../../components/short-list.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { AgentItem } from './agent-item.tsx';
import { compareAgents, fleetWords } from './agent-words.ts';

/** Are the workstations compliant? */
export function AgentsSection({ siteId, hasBox }: { siteId: string; hasBox: boolean }) {
  const agents = useQuery(agentsQuery(siteId));
  return (
    <Section id="agents" title="Agents and their checks" aside={agents.data && fleetWords(agents.data.agents)}>
      <Loaded query={agents} what="The agents" skeleton={<RowsSkeleton rows={4} />}>
        {(list) => {
          if (list.agents.length === 0) return <NoAgents hasBox={hasBox} />;
          const sorted: Agent[] = [...list.agents].sort(compareAgents);
          return (
            <ShortList items={sorted} shown={25} noun="agent">
              {(shown) =>
                shown.map((agent) => <AgentItem key={agent.id} siteId={siteId} agent={agent} asOfMs={list.asOfMs} />)
              }
            </ShortList>
          );
        }}
      </Loaded>
    </Section>
  );
}

function NoAgents({ hasBox }: { hasBox: boolean }) {
  return (
    <EmptyState small icon="laptop" title="No agent has reported yet">
      {hasBox ? (
        <>
          On the box, <code>sitewarden-appliance agents token</code> makes a one-time token. Start the agent on a
          workstation with it.
        </>
      ) : (
        'Agents enrol at the box; claim a box for this site first.'
      )}
    </EmptyState>
  );
}
