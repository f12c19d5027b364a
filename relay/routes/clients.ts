import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import { insertClient, listClients } from '../store/repositories/clients.ts';
import { defineHandlers } from './context.ts';

export function clientHandlers() {
  return defineHandlers({
    clients: async ({ tenant, inTenant }) => ({ clients: await inTenant((trx) => listClients(trx, tenant.partnerId)) }),
    createClient: async ({ tenant, inTenant, body, nowMs }) => {
      const { partnerId, actor } = tenant;
      const client = { id: newId('cli'), name: body.name };
      const isNew = await inTenant(async (trx) => {
        if (!(await insertClient(trx, partnerId, { ...client, nowMs }))) return false;
        await appendAudit(trx, {
          partnerId,
          atMs: nowMs,
          actor,
          action: 'client.created',
          ref: client.id,
          detail: { name: client.name, staffId: tenant.staffId },
        });
        return true;
      });
      if (!isNew) throw relayErrors.make('NAME_TAKEN', { field: '/name' });
      return client;
    },
  });
}
