import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { fromFailure, isApiError } from '../../api/api-error.ts';
import { keys } from '../../api/keys.ts';
import { createOrder, ordersQuery } from '../../api/queries/site.ts';
import { useAnnounce } from '../../layout/announcer.tsx';
import { actionWords } from '../../words/work.ts';
import { type Bulk, endWords, nextToSend, stopped, type Target, tally, withOrders, withTarget } from './bulk.ts';

/** Gives one order after the other and follows each to its end by the live states of the orders. */
export function useBulk(siteId: string) {
  const client = useQueryClient();
  const announce = useAnnounce();
  const [bulk, setBulk] = useState<Bulk | null>(null);
  const orders = useQuery({ ...ordersQuery(siteId), enabled: bulk !== null }).data?.orders;
  const next = bulk === null ? -1 : nextToSend(bulk);

  useEffect(() => {
    if (orders) setBulk((now) => now && withOrders(now, orders));
  }, [orders]);

  useEffect(() => {
    const target = bulk?.targets[next];
    if (bulk === null || target?.state !== 'waiting') return;
    const change = (to: Partial<Target>) => setBulk((now) => now && withTarget(now, next, to));
    change({ state: 'sending' });
    createOrder(siteId, { action: bulk.action, ...(target.agentId === null ? {} : { agentId: target.agentId }) })
      .then(
        (order) => change({ state: 'sent', order }),
        (error: unknown) => {
          change({ state: 'refused', error: fromFailure(error).message });
          // A workstation that is gone is its own matter; any other reason would refuse the rest too.
          if (!isApiError(error) || error.status !== 404) setBulk((now) => now && stopped(now));
        },
      )
      .finally(() => void client.invalidateQueries({ queryKey: keys.orders(siteId) }));
  }, [bulk, next, siteId, client]);

  const sum = bulk && tally(bulk);
  const hasEnded = sum !== null && sum.ended === sum.total;
  const said = useRef(false);
  const name = bulk ? actionWords(bulk.action) : '';
  useEffect(() => {
    if (hasEnded && !said.current) announce(`${name}: ${endWords(sum)}.`);
    said.current = hasEnded;
  }, [hasEnded, name, sum, announce]);

  const start = useCallback((action: Bulk['action'], targets: readonly Target[]) => setBulk({ action, targets }), []);
  const stop = useCallback(() => setBulk((now) => now && stopped(now)), []);
  const clear = useCallback(() => setBulk(null), []);
  return { bulk, isRunning: sum !== null && !hasEnded, start, stop, clear };
}
