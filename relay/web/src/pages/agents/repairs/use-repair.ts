import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '../../../api/keys.ts';
import { createOrder } from '../../../api/queries/site.ts';
import type { OrderList } from '../../../api/types.ts';
import type { Params, RepairAction } from '../../../words/repairs.ts';

export interface RepairWish {
  readonly action: RepairAction;
  readonly params: Params;
  readonly dryRun: boolean;
}

/** The body's parameters; without dry_run when it is meant. */
export const bodyParams = ({ params, dryRun }: Omit<RepairWish, 'action'>): Record<string, unknown> => ({
  ...params,
  ...(dryRun ? { dry_run: true } : {}),
});

/** Orders one repair of one workstation and puts it at the head of the orders; where it is then follows live. */
export function useRepair(siteId: string, agentId: string) {
  const client = useQueryClient();
  const queryKey = keys.orders(siteId);
  return useMutation({
    mutationFn: ({ action, ...wish }: RepairWish) => createOrder(siteId, { action, agentId, params: bodyParams(wish) }),
    onSuccess: (order) =>
      client.setQueryData<OrderList>(
        queryKey,
        (list) => list && { ...list, orders: [order, ...list.orders.filter(({ id }) => id !== order.id)] },
      ),
    onSettled: () => void client.invalidateQueries({ queryKey }),
  });
}
