import type { OrdersResponse } from '@sitewarden/agent-proto/http';
import { relayErrors } from '../errors.ts';
import type { Tx } from '../store/index.ts';
import { takeWaiting } from '../store/repositories/orders.ts';
import { readAppliance } from '../store/repositories/outbox.ts';
import { WAITING_STATES } from './machine.ts';

const MAX_ORDERS = 100;

/**
 * What a box still has to do, oldest first. Asking twice gives the same orders twice: the box knows by their ids what it
 * took. Throws APPLIANCE_QUARANTINED and APPLIANCE_REVOKED by the state in this transaction, whatever a cache says.
 */
export async function deliverOrders(
  trx: Tx,
  { applianceId, nowMs }: { applianceId: string; nowMs: number },
): Promise<OrdersResponse> {
  const appliance = await readAppliance(trx, applianceId);
  if (appliance === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
  if (appliance.state === 'revoked') throw relayErrors.make('APPLIANCE_REVOKED');
  if (appliance.state !== 'active') throw relayErrors.make('APPLIANCE_QUARANTINED');
  const { epoch } = appliance;
  const orders = await takeWaiting(trx, { applianceId, epoch, states: WAITING_STATES, nowMs, limit: MAX_ORDERS });
  return { orders };
}
