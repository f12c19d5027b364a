import { Link } from 'react-router';
import type { Agent } from '../../../api/types.ts';
import { Disclosure } from '../../../components/disclosure.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { AgentChecks, AgentFacts, CheckCounts } from '../../agents/agent-detail.tsx';
import { RunCheckButton } from '../orders/run-check-button.tsx';
import css from './agents.module.css';

interface AgentItemProps {
  siteId: string;
  agent: Agent;
  asOfMs: number;
}

export function AgentItem({ siteId, agent, asOfMs }: AgentItemProps) {
  return (
    <Disclosure
      summary={
        <span className={css.line}>
          <span className={css.host}>{agent.hostname}</span>
          <span className={css.counts}>
            <CheckCounts agent={agent} />
          </span>
          <span className="dim small">{agent.osVersion || agent.osFamily}</span>
          <span className={css.status}>
            <StatusBadge status={agent.status} asOfMs={asOfMs} bare />
          </span>
        </span>
      }
    >
      <div className={css.detail}>
        {agent.state === 'removed' && <p className="dim">This agent was removed from the site.</p>}
        <AgentChecks agent={agent} />
        <Disclosure summary={<span className="dim">About this workstation</span>}>
          <AgentFacts agent={agent} />
        </Disclosure>
        {agent.state === 'active' && <RunCheckButton siteId={siteId} agent={agent} />}
        <Link to={`/sites/${siteId}/agents/${agent.id}`}>History of {agent.hostname}</Link>
      </div>
    </Disclosure>
  );
}
