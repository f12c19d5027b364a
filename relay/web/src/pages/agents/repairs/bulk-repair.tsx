import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { siteQuery } from '../../../api/queries/site.ts';
import type { Agent } from '../../../api/types.ts';
import { formatCount, plural } from '../../../clock/format.ts';
import { relayClock } from '../../../clock/relay-clock.ts';
import { Icon } from '../../../icons/icon.tsx';
import { type Params, REPAIRS, type RepairAction } from '../../../words/repairs.ts';
import { orderTitle } from '../../../words/work.ts';
import { RepairSelect } from './any-repair.tsx';
import { blockOf } from './repair-block.ts';
import { newDraft, paramsOfDraft, type RepairDraft } from './repair-draft.ts';
import { RepairFields } from './repair-fields.tsx';
import { RepairSteps } from './repair-steps.tsx';
import css from './repairs.module.css';
import { bodyParams } from './use-repair.ts';

interface BulkRepairProps {
  siteId: string;
  /** The selected ones. */
  agents: readonly Agent[];
  isBusy: boolean;
  onOrder: (action: RepairAction, params: Params) => void;
}

const presentMs = () => relayClock.nowMs() ?? Date.now();

/** One repair for all that are selected: an order for each, and beforehand who cannot have one. */
export function BulkRepair(props: BulkRepairProps) {
  const { agents } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<Icon name="wrench" size={13} />}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        Repair {formatCount(agents.length)} selected
      </Button>
      {isOpen && <BulkForm {...props} />}
    </>
  );
}

function BulkForm({ siteId, agents, isBusy, onOrder }: BulkRepairProps) {
  const site = useQuery(siteQuery(siteId));
  const services = site.data?.requiredServices ?? [];
  const [action, setAction] = useState<RepairAction>('start_service');
  const [edits, setEdits] = useState<Partial<RepairDraft>>({});
  const [initial] = useState(() => newDraft(presentMs()));
  const draft: RepairDraft = { ...initial, service: services[0] ?? '', ...edits };
  const made = paramsOfDraft(action, draft, presentMs());
  const blocked = agents.filter((agent) => blockOf(action, agent) !== undefined);
  const give = (dryRun: boolean) => made.params && onOrder(action, bodyParams({ params: made.params, dryRun }));
  const service = made.params?.service;
  const what = orderTitle({ action, params: typeof service === 'string' ? { service } : {} });
  return (
    <section className={`${css.form} ${css.bulk}`} aria-label="Repair the selected">
      <div className={css.fields}>
        <RepairSelect value={action} onChange={setAction} />
      </div>
      <RepairFields
        action={action}
        draft={draft}
        faults={made.faults ?? {}}
        services={services}
        onEdit={(change) => setEdits((now) => ({ ...now, ...change }))}
      />
      {blocked.length > 0 && (
        <div className="small" role="status">
          <p>
            {formatCount(agents.length - blocked.length)} of {plural(agents.length, 'workstation')} can have it now. For
            the others:
          </p>
          <ul>
            {reasons(action, blocked).map(([reason, hosts]) => (
              <li key={reason}>
                <strong>{named(hosts)}</strong>: {reason}
              </li>
            ))}
          </ul>
        </div>
      )}
      <RepairSteps
        title={`${what} on ${formatCount(agents.length)} selected`}
        changes={`${REPAIRS[action].changes} One order goes to each of ${plural(agents.length, 'workstation')}; what the relay refuses is named.`}
        block={
          blocked.length === agents.length
            ? 'None of the selected can have it now: the reasons stand above. Tiers are set below, at the groups, or in the settings of the site.'
            : undefined
        }
        isBusy={isBusy}
        isUnfit={made.params === undefined}
        onTryDry={() => give(true)}
        onDo={() => give(false)}
      />
    </section>
  );
}

const MAX_NAMED = 5;
const named = (hosts: readonly string[]): string =>
  hosts.length <= MAX_NAMED
    ? hosts.join(', ')
    : `${hosts.slice(0, MAX_NAMED).join(', ')} and ${formatCount(hosts.length - MAX_NAMED)} more`;

/** The same reason once, with everybody it holds for. */
function reasons(action: RepairAction, blocked: readonly Agent[]): [string, string[]][] {
  const byReason = new Map<string, string[]>();
  for (const agent of blocked) {
    const reason = blockOf(action, agent)?.reason ?? '';
    byReason.set(reason, [...(byReason.get(reason) ?? []), agent.hostname]);
  }
  return [...byReason];
}
