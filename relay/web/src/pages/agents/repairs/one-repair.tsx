import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { siteQuery } from '../../../api/queries/site.ts';
import type { Agent, OrderList } from '../../../api/types.ts';
import { relayClock } from '../../../clock/relay-clock.ts';
import { REPAIRS, type RepairAction } from '../../../words/repairs.ts';
import { isOrderOpen, orderTitle } from '../../../words/work.ts';
import { OrderItem } from '../../site/orders/order-item.tsx';
import { blockOf, latestOf } from './repair-block.ts';
import { newDraft, paramsOfDraft, type RepairDraft } from './repair-draft.ts';
import { RepairError } from './repair-error.tsx';
import { RepairFields } from './repair-fields.tsx';
import { RepairSteps } from './repair-steps.tsx';
import css from './repairs.module.css';
import { TierPlace } from './tier-place.tsx';
import { useRepair } from './use-repair.ts';

interface OneRepairProps {
  siteId: string;
  agent: Agent;
  action: RepairAction;
  orders: OrderList;
  /** The service of the check; without it the form asks which. */
  service?: string | undefined;
  /** Its check passes already. */
  isMended?: boolean;
}

const presentMs = () => relayClock.nowMs() ?? Date.now();

/** One repair of one workstation: its parameters, its three steps, and what became of it last. */
export function OneRepair({ siteId, agent, action, orders, service, isMended = false }: OneRepairProps) {
  const site = useQuery(siteQuery(siteId));
  const services = site.data?.requiredServices ?? [];
  const [edits, setEdits] = useState<Partial<RepairDraft>>({});
  const [initial] = useState(() => newDraft(presentMs()));
  const draft: RepairDraft = { ...initial, service: service ?? services[0] ?? '', ...edits };
  const order = useRepair(siteId, agent.id);

  const made = paramsOfDraft(action, draft, presentMs());
  const named = typeof made.params?.service === 'string' ? made.params.service : service;
  const { last, undoable, undo } = latestOf(
    orders.orders,
    { agentId: agent.id, action, service: named },
    orders.asOfMs,
  );
  const block = blockOf(action, agent);
  const undoBlock = blockOf('undo', agent, action);
  const isOpen = (last !== undefined && isOrderOpen(last)) || (undo !== undefined && isOrderOpen(undo));
  const give = (dryRun: boolean) => made.params && order.mutate({ action, params: made.params, dryRun });
  const words = (of: typeof block) =>
    of && (
      <>
        {of.reason} {of.tierFrom && <TierPlace siteId={siteId} agent={agent} tierFrom={of.tierFrom} />}
      </>
    );
  const title = `${orderTitle({ action, params: named === undefined ? {} : { service: named } })} on ${agent.hostname}`;
  const newest = undo !== undefined && (last === undefined || undo.createdAtMs > last.createdAtMs) ? undo : last;
  return (
    <div className={css.repair} data-repair={action}>
      <RepairFields
        action={action}
        draft={draft}
        faults={made.faults ?? {}}
        services={service === undefined ? services : []}
        isServiceFixed={service !== undefined}
        onEdit={(change) => setEdits((now) => ({ ...now, ...change }))}
      />
      <RepairSteps
        title={title}
        changes={REPAIRS[action].changes}
        block={words(block)}
        undoBlock={words(undoBlock)}
        isMended={isMended}
        isBusy={order.isPending || isOpen}
        isUnfit={made.params === undefined}
        onTryDry={() => give(true)}
        onDo={() => give(false)}
        canUndo={undoable !== undefined}
        onUndo={
          REPAIRS[action].canUndo
            ? () => undoable && order.mutate({ action: 'undo', params: { order_id: undoable.id }, dryRun: false })
            : undefined
        }
      />
      {order.isError && <RepairError siteId={siteId} agent={agent} error={order.error} />}
      {newest && (
        <ul className={css.became} aria-label={`What became of it: ${title}`}>
          <OrderItem order={newest} undone={newest === undo ? last : undefined} />
        </ul>
      )}
    </div>
  );
}
