import { Button } from '@mantine/core';
import { useRef, useState } from 'react';
import type { Agent, Order } from '../../../api/types.ts';
import { may } from '../../../session/rights.ts';
import { useSession } from '../../../session/session-gate.tsx';
import { orderTitle } from '../../../words/work.ts';
import { blockOf } from './repair-block.ts';
import { RepairError } from './repair-error.tsx';
import { Confirm, UNDO_TEXT } from './repair-steps.tsx';
import css from './repairs.module.css';
import { TierPlace } from './tier-place.tsx';
import { useRepair } from './use-repair.ts';

interface UndoOrderProps {
  siteId: string;
  agent: Agent | undefined;
  order: Order;
}

/** The way back from one order, after a yes; nothing where there is none or this person gives no orders. */
export function UndoOrder({ siteId, agent, order }: UndoOrderProps) {
  const { role } = useSession();
  const undo = useRepair(siteId, order.agentId ?? '');
  const [isAsking, setAsking] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  if (!may(role, 'order') || agent?.state !== 'active' || (!order.canUndo && !undo.isError)) return null;
  const block = blockOf('undo', agent, order.action);
  const give = (dryRun: boolean) => undo.mutate({ action: 'undo', params: { order_id: order.id }, dryRun });
  return (
    <div className={css.way}>
      {order.canUndo && (
        <div className={css.answers}>
          <Button
            ref={opener}
            size="xs"
            variant="default"
            disabled={undo.isPending || block !== undefined}
            aria-expanded={isAsking}
            onClick={() => setAsking(true)}
          >
            Undo
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={undo.isPending || block !== undefined}
            onClick={() => give(true)}
          >
            Try the undo dry
          </Button>
        </div>
      )}
      {order.canUndo && block && (
        <p className="small">
          {block.reason} {block.tierFrom && <TierPlace siteId={siteId} agent={agent} tierFrom={block.tierFrom} />}
        </p>
      )}
      {isAsking && order.canUndo && (
        <Confirm
          question={`Undo “${orderTitle(order)}” on ${agent.hostname}?`}
          text={UNDO_TEXT}
          yes="Yes, undo it"
          isOff={undo.isPending}
          onYes={() => give(false)}
          onClose={() => {
            setAsking(false);
            opener.current?.focus();
          }}
        />
      )}
      {undo.isError && <RepairError siteId={siteId} agent={agent} error={undo.error} />}
    </div>
  );
}
