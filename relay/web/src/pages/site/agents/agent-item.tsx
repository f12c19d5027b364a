import type { Agent } from '../../../api/types.ts';
import { CheckResult } from '../../../components/check-result.tsx';
import { Disclosure } from '../../../components/disclosure.tsx';
import { FactGrid } from '../../../components/fact-grid.tsx';
import { FactsList } from '../../../components/facts.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { Tag } from '../../../components/tag.tsx';
import { TimeAgo } from '../../../components/time-ago.tsx';
import { CHECK_STATUS, compareChecks } from '../../../words/checks.ts';
import { TIERS } from '../../../words/work.ts';
import { RunCheckButton } from '../orders/run-check-button.tsx';
import { countChecks } from './agent-words.ts';
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
        {agent.checks.length === 0 ? (
          <p className="dim">No check has reported yet. The first results come with the agent’s next report.</p>
        ) : (
          <div>
            {[...agent.checks].sort(compareChecks).map((check) => (
              <CheckResult key={`${check.check}/${check.subject}`} check={check} />
            ))}
          </div>
        )}
        <AgentFacts agent={agent} />
        {agent.state === 'active' && <RunCheckButton siteId={siteId} agent={agent} />}
      </div>
    </Disclosure>
  );
}

function CheckCounts({ agent }: { agent: Agent }) {
  if (agent.state === 'removed') return <span className="dim">Removed</span>;
  if (agent.checks.length === 0) return <span className="dim">No results yet</span>;
  return (['fail', 'unknown', 'pass'] as const).map((status) => {
    const count = countChecks(agent, status);
    return count > 0 && <Tag key={status} bare sign={{ ...CHECK_STATUS[status], word: `${count} ${status}` }} />;
  });
}

function AgentFacts({ agent }: { agent: Agent }) {
  return (
    <Disclosure summary={<span className="dim">About this workstation</span>}>
      <FactGrid
        rows={[
          { name: 'Tier', value: `${TIERS[agent.tier].name}: ${TIERS[agent.tier].does}` },
          { name: 'Operating system', value: agent.osVersion || agent.osFamily },
          { name: 'Agent version', value: agent.agentVersion },
          { name: 'Enrolled', value: <TimeAgo atMs={agent.enrolledAtMs} /> },
          {
            name: 'Last heartbeat',
            value: agent.lastHeartbeatAtMs === null ? 'never' : <TimeAgo atMs={agent.lastHeartbeatAtMs} />,
          },
          { name: 'Agent', value: <code>{agent.id}</code> },
        ]}
      />
      <FactsList facts={agent.telemetry} />
    </Disclosure>
  );
}
