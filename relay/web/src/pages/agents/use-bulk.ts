import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { fromFailure, isApiError } from '../../api/api-error.ts';
import { keys } from '../../api/keys.ts';
import { createOrder, ordersQuery } from '../../api/queries/site.ts';
import type { OrderRequest } from '../../api/types.ts';
import { useAnnounce } from '../../layout/announcer.tsx';
import { type Bulk, endWords, nextToSend, stopped, type Target, tally, withOrders, withTarget } from './bulk.ts';

/** Gives one order after the other and follows each to its end by the live states of the orders. */
export function useBulk(siteId: string) {
  const client = useQueryClient();
  const announce = useAnnounce();
  const [bulk, setBulk] = useState<Bulk | null>(null);
  const [action, setAction] = useState<OrderRequest['action']>('run_check');
  const orders = useQuery({ ...ordersQuery(siteId), enabled: bulk !== null }).data?.orders;
  const next = bulk === null ? -1 : nextToSend(bulk);

  useEffect(() => {
    if (orders) setBulk((now) => now && withOrders(now, orders));
  }, [orders]);

  useEffect(() => {
    const target = bulk?.targets[next];
    if (target?.state !== 'waiting') return;
    const change = (to: Partial<Target>) => setBulk((now) => now && withTarget(now, next, to));
    change({ state: 'sending' });
    createOrder(siteId, { action, ...(target.agentId === null ? {} : { agentId: target.agentId }) })
      .then(
        (order) => change({ state: 'sent', order }),
        (error: unknown) => {
          change({ state: 'refused', error: fromFailure(error).message });
          // A workstation that is gone is its own matter; any other reason would refuse the rest too.
          if (!isApiError(error) || error.status !== 404) setBulk((now) => now && stopped(now));
        },
      )
      .finally(() => void client.invalidateQueries({ queryKey: keys.orders(siteId) }));
  }, [bulk, next, action, siteId, client]);

  const sum = bulk && tally(bulk);
  const hasEnded = sum !== null && sum.ended === sum.total;
  const said = useRef(false);
  useEffect(() => {
    if (hasEnded && !said.current) announce(`${bulk?.name}: ${endWords(sum)}.`);
    said.current = hasEnded;
  }, [hasEnded, bulk?.name, sum, announce]);

  const start = useCallback((what: OrderRequest['action'], begun: Bulk) => {
    setAction(what);
    setBulk(begun);
  }, []);
  const stop = useCallback(() => setBulk((now) => now && stopped(now)), []);
  const clear = useCallback(() => setBulk(null), []);
  return { bulk, isRunning: sum !== null && !hasEnded, start, stop, clear };
}
