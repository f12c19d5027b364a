import { Fragment } from 'react';
import type { Agent } from '../../api/types.ts';
import { CheckResult } from '../../components/check-result.tsx';
import { FactGrid } from '../../components/fact-grid.tsx';
import { FactsList } from '../../components/facts.tsx';
import { Tag } from '../../components/tag.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { countChecks } from '../../words/agents.ts';
import { CHECK_STATUS, compareChecks } from '../../words/checks.ts';
import { TIERS } from '../../words/work.ts';
import css from './agents-page.module.css';
import { CheckRepairs } from './repairs/check-repairs.tsx';

/** "2 fail, 1 unknown, 4 pass". */
export function CheckCounts({ agent }: { agent: Agent }) {
  if (agent.state === 'removed') return <span className="dim">Removed</span>;
  if (agent.checks.length === 0) return <Tag bare sign={{ ...CHECK_STATUS.unknown, word: 'No results yet' }} />;
  return (['fail', 'unknown', 'pass'] as const).map((status) => {
    const count = countChecks(agent, status);
    return count > 0 && <Tag key={status} bare sign={{ ...CHECK_STATUS[status], word: `${count} ${status}` }} />;
  });
}

/** With a site, what would mend each stands beside it. */
export function AgentChecks({ agent, siteId }: { agent: Agent; siteId?: string }) {
  if (agent.checks.length === 0)
    return <p className="dim">No check has reported yet. The first results come with the agent’s next report.</p>;
  return (
    <div>
      {[...agent.checks].sort(compareChecks).map((check) => (
        <Fragment key={`${check.check}/${check.subject}`}>
          <CheckResult check={check} />
          {siteId !== undefined && <CheckRepairs siteId={siteId} agent={agent} check={check} />}
        </Fragment>
      ))}
    </div>
  );
}

/** Other management tools, as the agent found them last. */
export function AgentTools({ agent: { rmm } }: { agent: Agent }) {
  if (rmm === null)
    return <p className="dim">The agent has not looked for other management tools yet, so none is known.</p>;
  if (rmm.findings.length === 0)
    return (
      <p className="dim">
        No other management tool was found. Looked <TimeAgo atMs={rmm.lookedAtMs} />.
      </p>
    );
  return (
    <ul className={css.tools}>
      {rmm.findings.map(({ product, version, running, foundBy, sinceMs }) => (
        <li key={`${product}/${foundBy}`}>
          <strong>{product}</strong> {version}{' '}
          <Tag
            bare
            sign={
              running
                ? { tone: 'warn', icon: 'play', word: 'runs' }
                : { tone: 'neutral', icon: 'dash', word: 'stands still' }
            }
          />{' '}
          <span className="dim small">
            found by {foundBy}, since <TimeAgo atMs={sinceMs} />
          </span>
        </li>
      ))}
    </ul>
  );
}

export function AgentFacts({ agent }: { agent: Agent }) {
  return (
    <>
      <FactGrid
        rows={[
          { name: 'Status', value: agent.status.reason },
          { name: 'Tier in force', value: `${TIERS[agent.tier].name}: ${TIERS[agent.tier].does}` },
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
    </>
  );
}
