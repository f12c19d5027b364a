import { listSiteDevices } from '../sites/index.ts';
import { defineHandlers } from './context.ts';

export function deviceHandlers() {
  return defineHandlers({
    devices: ({ params, inTenant, nowMs }) => inTenant((trx) => listSiteDevices(trx, params.siteId, nowMs)),
  });
}
