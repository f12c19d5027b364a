import { Button } from '@mantine/core';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import type { Agent } from '../../api/types.ts';
import { formatCount, plural } from '../../clock/format.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Section } from '../../components/section.tsx';
import { Icon } from '../../icons/icon.tsx';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { compareAgents } from '../../words/agents.ts';
import type { Params, RepairAction } from '../../words/repairs.ts';
import { isFiltered, matches, useAgentFilter } from './agent-filter.ts';
import { AgentRow } from './agent-row.tsx';
import css from './agents-page.module.css';
import { waitingTarget } from './bulk.ts';
import { BulkProgress } from './bulk-progress.tsx';
import { FilterBar } from './filter-bar.tsx';
import { BulkGroup } from './groups/move-agents.tsx';
import { useGroups } from './groups/use-groups.ts';
import { RemoveAgents } from './remove-agents.tsx';
import { BulkRepair } from './repairs/bulk-repair.tsx';
import { BulkTier } from './tier-control.tsx';
import { useBulk } from './use-bulk.ts';
import { useSelection } from './use-selection.ts';

/** Rows in the page at once: three hundred at once would make a slow machine wait. */
const PAGE_ROWS = 50;

interface AgentListProps {
  siteId: string;
  agents: readonly Agent[];
  asOfMs: number;
  hasBox: boolean;
}

export function AgentList({ siteId, agents, asOfMs, hasBox }: AgentListProps) {
  const { role } = useSession();
  const canOrder = may(role, 'order') && hasBox;
  const groups = useGroups(siteId);
  const groupNames = useMemo(() => new Map(groups.map(({ id, name }) => [id, name])), [groups]);
  const { filter, page, set } = useAgentFilter();
  const listed = useMemo(() => agents.filter((agent) => matches(agent, filter)).sort(compareAgents), [agents, filter]);
  const ids = useMemo(() => listed.map(({ id }) => id), [listed]);
  const { selected, select, selectAll, onKeyDown } = useSelection(ids);
  const { bulk, isRunning, start, stop, clear } = useBulk(siteId);
  const targets = useMemo(() => new Map(bulk?.targets.map((target) => [target.agentId, target])), [bulk]);

  const pages = Math.max(1, Math.ceil(listed.length / PAGE_ROWS));
  const shownPage = Math.min(page, pages);
  const from = (shownPage - 1) * PAGE_ROWS;
  const shown = listed.slice(from, from + PAGE_ROWS);

  const wanted = selected.size > 0 ? listed.filter(({ id }) => selected.has(id)) : listed;
  const runCheck = useCallback(
    (these: readonly Agent[], isAll: boolean) =>
      start(
        'run_check',
        isAll ? [waitingTarget(null, `all ${plural(these.length, 'workstation')}`)] : targetsOf(these),
      ),
    [start],
  );
  const remove = useCallback((gone: readonly Agent[]) => start('remove_agent', targetsOf(gone)), [start]);
  const repair = (action: RepairAction, params: Params) => start(action, targetsOf(wanted), params);
  const runOne = useCallback((agent: Agent) => runCheck([agent], false), [runCheck]);

  return (
    <Section
      id="workstations"
      title="Workstations, what is not fine first"
      aside={<span role="status">{foundWords(listed.length, agents.length)}</span>}
    >
      <FilterBar agents={agents} groups={groups} filter={filter} onChange={set} />
      {canOrder && listed.length > 0 && (
        <div className={css.bulk}>
          <SelectAll count={selected.size} of={listed.length} onChange={selectAll} />
          <Button
            leftSection={<Icon name="play" size={13} />}
            disabled={isRunning}
            onClick={() => runCheck(wanted, wanted.length === agents.length && !isFiltered(filter))}
          >
            {selected.size > 0
              ? `Run check on ${formatCount(selected.size)} selected`
              : `Run check on all ${formatCount(listed.length)}`}
          </Button>
          {selected.size > 0 && (
            <RemoveAgents
              key={[...selected].join()}
              agents={wanted}
              whom={`${formatCount(selected.size)} selected`}
              isBusy={isRunning}
              onRemove={remove}
            />
          )}
          {selected.size > 0 && <BulkRepair siteId={siteId} agents={wanted} isBusy={isRunning} onOrder={repair} />}
          <BulkTier siteId={siteId} agentIds={[...selected]} />
          <BulkGroup siteId={siteId} agentIds={[...selected]} />
          <span className={`dim small ${css.keys}`}>
            <kbd>Space</kbd> selects, <kbd>↑</kbd> <kbd>↓</kbd> go on, with <kbd>Shift</kbd> they select on the way
          </span>
        </div>
      )}
      {bulk && <BulkProgress bulk={bulk} onStop={stop} onClose={clear} />}
      {listed.length === 0 ? (
        <EmptyState small icon="search" title="No workstation is like that">
          {plural(agents.length, 'workstation is', 'workstations are')} at this site. Clear a filter to see them.
        </EmptyState>
      ) : (
        <ul className={css.list} onKeyDown={onKeyDown}>
          {shown.map((agent) => (
            <AgentRow
              key={agent.id}
              siteId={siteId}
              agent={agent}
              asOfMs={asOfMs}
              target={targets.get(agent.id)}
              isSelected={selected.has(agent.id)}
              onSelect={canOrder ? select : undefined}
              onRunCheck={runOne}
              onRemove={remove}
              isBusy={isRunning}
              groupName={agent.groupId === null ? undefined : groupNames.get(agent.groupId)}
            />
          ))}
        </ul>
      )}
      {pages > 1 && (
        <nav className={css.pages} aria-label="Pages of the list">
          <Button variant="default" disabled={shownPage === 1} onClick={() => set({ page: String(shownPage - 1) })}>
            Previous
          </Button>
          <span className="small">
            {from + 1} to {from + shown.length} of {formatCount(listed.length)}
          </span>
          <Button variant="default" disabled={shownPage === pages} onClick={() => set({ page: String(shownPage + 1) })}>
            Next
          </Button>
        </nav>
      )}
    </Section>
  );
}

const targetsOf = (agents: readonly Agent[]) => agents.map(({ id, hostname }) => waitingTarget(id, hostname));

const foundWords = (found: number, all: number): string =>
  found === all ? plural(all, 'workstation') : `${formatCount(found)} of ${plural(all, 'workstation')}`;

function SelectAll({ count, of, onChange }: { count: number; of: number; onChange: (isSelected: boolean) => void }) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = count > 0 && count < of;
  }, [count, of]);
  return (
    <label className={css.all}>
      <input
        ref={box}
        type="checkbox"
        checked={count === of}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />{' '}
      {count > 0 ? `${formatCount(count)} selected` : `Select all ${formatCount(of)}`}
    </label>
  );
}
