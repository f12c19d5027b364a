import { Button } from '@mantine/core';
import { memo } from 'react';
import { Link } from 'react-router';
import type { Agent } from '../../api/types.ts';
import { Disclosure } from '../../components/disclosure.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { Icon } from '../../icons/icon.tsx';
import { toolState } from '../../words/agents.ts';
import { TIERS } from '../../words/work.ts';
import { AgentChecks, AgentFacts, AgentTools, CheckCounts } from './agent-detail.tsx';
import css from './agents-page.module.css';
import type { Target } from './bulk.ts';
import { TargetState } from './bulk-progress.tsx';
import { RemoveAgents } from './remove-agents.tsx';
import { TierControl } from './tier-control.tsx';

interface AgentRowProps {
  siteId: string;
  agent: Agent;
  asOfMs: number;
  /** Its order in the present run. */
  target: Target | undefined;
  isSelected: boolean;
  /** Absent: this person gives no orders. */
  onSelect: ((agentId: string, isSelected: boolean, isRange: boolean) => void) | undefined;
  onRunCheck: (agent: Agent) => void;
  onRemove: (agents: readonly Agent[]) => void;
  isBusy: boolean;
  /** Of the group it is in; absent: it is in none, or they are not known yet. */
  groupName: string | undefined;
}

export const AgentRow = memo(function AgentRow(props: AgentRowProps) {
  const { siteId, agent, asOfMs, target, isSelected, onSelect, onRunCheck, onRemove, isBusy, groupName } = props;
  return (
    <li className={css.row} data-agent={agent.id} data-selected={isSelected}>
      {onSelect && (
        <label className={css.select}>
          <input
            type="checkbox"
            data-select={agent.id}
            aria-label={`Select ${agent.hostname}`}
            checked={isSelected}
            onChange={(event) => {
              const { shiftKey } = event.nativeEvent as MouseEvent;
              onSelect(agent.id, event.currentTarget.checked, shiftKey === true);
            }}
          />
        </label>
      )}
      <div className={css.body}>
        <Disclosure
          summary={
            <span className={css.line}>
              <span className={css.host}>{agent.hostname}</span>
              <span className={css.counts}>
                <CheckCounts agent={agent} />
              </span>
              <span className={`dim small ${css.about}`}>
                {agent.osVersion || agent.osFamily}, {TIERS[agent.tier].name}
                {agent.wantedTier !== agent.tier && `, wanted ${TIERS[agent.wantedTier].name}`}
                {groupName !== undefined && `, group ${groupName}`}
                {toolState(agent) === 'yes' && `, ${agent.rmm?.findings.map(({ product }) => product).join(', ')}`}
              </span>
              <span className={css.status}>
                {target && <TargetState target={target} />}
                <StatusBadge status={agent.status} asOfMs={asOfMs} bare />
              </span>
            </span>
          }
        >
          <div className={css.detail}>
            <AgentChecks agent={agent} siteId={siteId} />
            <h3>Other management tools</h3>
            <AgentTools agent={agent} />
            <h3>Tier</h3>
            <TierControl siteId={siteId} agent={agent} />
            <Disclosure summary={<span className="dim">About this workstation</span>}>
              <AgentFacts agent={agent} />
            </Disclosure>
            <div className={css.actions}>
              {onSelect && (
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<Icon name="play" size={13} />}
                  disabled={isBusy}
                  onClick={() => onRunCheck(agent)}
                >
                  Run check on {agent.hostname}
                </Button>
              )}
              {onSelect && <RemoveAgents agents={[agent]} whom={agent.hostname} isBusy={isBusy} onRemove={onRemove} />}
              <Link to={`/sites/${siteId}/agents/${agent.id}`}>History of {agent.hostname}</Link>
            </div>
          </div>
        </Disclosure>
      </div>
    </li>
  );
});
