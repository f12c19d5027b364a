import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { fromFailure, isApiError } from '../../api/api-error.ts';
import { keys } from '../../api/keys.ts';
import { createOrder, ordersQuery } from '../../api/queries/site.ts';
import { relayClock } from '../../clock/relay-clock.ts';
import { useAnnounce } from '../../layout/announcer.tsx';
import {
  type Bulk,
  bulkTitle,
  endWords,
  isOver,
  nextToSend,
  stopped,
  type Target,
  tally,
  withOrders,
  withTarget,
} from './bulk.ts';

/** Of this workstation only; any other refusal would be the same for the rest. */
const isItsOwn = (error: unknown): boolean =>
  isApiError(error) && (error.status === 404 || error.code.startsWith('ORDER_TIER_'));
const presentMs = () => relayClock.nowMs() ?? 0;

/** Gives one order after the other and follows each to its end by the live states of the orders. */
export function useBulk(siteId: string) {
  const client = useQueryClient();
  const announce = useAnnounce();
  const [bulk, setBulk] = useState<Bulk | null>(null);
  const orders = useQuery({ ...ordersQuery(siteId), enabled: bulk !== null }).data?.orders;
  const next = bulk === null ? -1 : nextToSend(bulk, presentMs());

  useEffect(() => {
    if (orders) setBulk((now) => now && withOrders(now, orders));
  }, [orders]);

  useEffect(() => {
    const target = bulk?.targets[next];
    if (bulk === null || target?.state !== 'waiting') return;
    const change = (to: Partial<Target>) => setBulk((now) => now && withTarget(now, next, to));
    change({ state: 'sending' });
    createOrder(siteId, {
      action: bulk.action,
      ...(target.agentId === null ? {} : { agentId: target.agentId }),
      ...(bulk.params === undefined ? {} : { params: { ...bulk.params } }),
    })
      .then(
        (order) => change({ state: 'sent', order }),
        (error: unknown) => {
          change({ state: 'refused', error: fromFailure(error).message });
          if (!isItsOwn(error)) setBulk((now) => now && stopped(now));
        },
      )
      .finally(() => void client.invalidateQueries({ queryKey: keys.orders(siteId) }));
  }, [bulk, next, siteId, client]);

  const sum = bulk && tally(bulk, presentMs());
  const hasEnded = sum !== null && isOver(sum);
  const said = useRef(false);
  const name = bulk ? bulkTitle(bulk) : '';
  useEffect(() => {
    if (hasEnded && !said.current) announce(`${name}: ${endWords(sum)}.`);
    said.current = hasEnded;
  }, [hasEnded, name, sum, announce]);

  const start = useCallback(
    (action: Bulk['action'], targets: readonly Target[], params?: Bulk['params']) =>
      setBulk({ action, targets, params }),
    [],
  );
  const stop = useCallback(() => setBulk((now) => now && stopped(now)), []);
  const clear = useCallback(() => setBulk(null), []);
  return { bulk, isRunning: sum !== null && !hasEnded, start, stop, clear };
}
