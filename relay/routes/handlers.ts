import type { Claims } from '../claim/index.ts';
import { agentHandlers } from './agents.ts';
import { boxConfigHandlers } from './box-config.ts';
import { boxKeyHandlers } from './box-keys.ts';
import { boxOrderHandlers } from './box-orders.ts';
import { checkinHandlers } from './checkin.ts';
import { checkpointHandlers } from './checkpoint.ts';
import { clientHandlers } from './clients.ts';
import type { HandlerTable, Services } from './context.ts';
import { custodyHandlers } from './custody.ts';
import { deviceHandlers } from './devices.ts';
import { eventHandlers } from './events.ts';
import { evidenceHandlers } from './evidence.ts';
import { healthHandlers } from './health.ts';
import { incidentHandlers } from './incidents.ts';
import { openApiHandlers } from './openapi.ts';
import { orderHandlers } from './orders.ts';
import { outboxHandlers } from './outbox.ts';
import { provisionBoxHandlers } from './provision-box.ts';
import { provisionStaffHandlers } from './provision-staff.ts';
import { relayKeyHandlers } from './relay-keys.ts';
import { secretHandlers } from './secrets.ts';
import { sessionHandlers } from './session.ts';
import { siteHandlers } from './sites.ts';
import { timelineHandlers } from './timeline.ts';
import { userHandlers } from './users.ts';
import { wakeHandlers } from './wake.ts';

/** Every handler of the relay, one line a file; the type demands that none is missing. */
export function allHandlers(services: Services, claims: Claims): HandlerTable {
  return {
    ...healthHandlers(services),
    ...openApiHandlers(),
    ...relayKeyHandlers(services),
    ...provisionBoxHandlers(claims),
    ...provisionStaffHandlers(claims),
    ...checkinHandlers(services),
    ...outboxHandlers(services),
    ...checkpointHandlers(services),
    ...boxOrderHandlers(services),
    ...boxConfigHandlers(services),
    ...custodyHandlers(services, claims),
    ...secretHandlers(services),
    ...boxKeyHandlers(),
    ...sessionHandlers(services),
    ...userHandlers(services),
    ...eventHandlers(services),
    ...clientHandlers(),
    ...siteHandlers(services),
    ...agentHandlers(),
    ...incidentHandlers(),
    ...deviceHandlers(),
    ...evidenceHandlers(services),
    ...timelineHandlers(),
    ...orderHandlers(services),
    ...wakeHandlers(),
  };
}
