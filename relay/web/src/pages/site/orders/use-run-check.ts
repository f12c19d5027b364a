import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '../../../api/keys.ts';
import { createOrder } from '../../../api/queries/site.ts';
import type { Order, OrderList } from '../../../api/types.ts';
import { relayClock } from '../../../clock/relay-clock.ts';
import { useSession } from '../../../session/session-gate.tsx';

/** Id of an order the relay has not confirmed; real ids begin with `ord_`. */
export const SENDING_ID = 'sending';

function sendingOrder(siteId: string, agentId: string | undefined, requestedBy: string): Order {
  const nowMs = relayClock.nowMs() ?? 0;
  return {
    id: SENDING_ID,
    siteId,
    action: 'run_check',
    params: agentId ? { agent_id: agentId } : {},
    agentId: agentId ?? null,
    state: 'queued',
    code: null,
    detail: '',
    dryRun: false,
    before: null,
    after: null,
    canUndo: false,
    undoneBy: null,
    requestedBy,
    createdAtMs: nowMs,
    changedAtMs: nowMs,
    expiresAtMs: nowMs,
  };
}

/** Shows the order at once, marked as being sent, and takes it off again when the relay refuses it. */
export function useRunCheck(siteId: string) {
  const client = useQueryClient();
  const { name } = useSession();
  const queryKey = keys.orders(siteId);
  const edit = (change: (orders: Order[]) => Order[]) =>
    client.setQueryData<OrderList>(queryKey, (list) => list && { ...list, orders: change(list.orders) });
  const withoutSending = (orders: Order[]) => orders.filter((order) => order.id !== SENDING_ID);
  return useMutation({
    mutationFn: (agentId: string | undefined) =>
      createOrder(siteId, { action: 'run_check', ...(agentId ? { agentId } : {}) }),
    onMutate: async (agentId) => {
      await client.cancelQueries({ queryKey });
      edit((orders) => [sendingOrder(siteId, agentId, name), ...withoutSending(orders)]);
    },
    onSuccess: (order) => edit((orders) => [order, ...withoutSending(orders).filter(({ id }) => id !== order.id)]),
    onError: () => edit(withoutSending),
    onSettled: () => void client.invalidateQueries({ queryKey }),
  });
}
