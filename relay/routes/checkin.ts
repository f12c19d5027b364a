import { appendAudit } from '../audit/index.ts';
import { type CheckinService, createCheckinMetrics, createCheckinService } from '../checkin/index.ts';
import { promoteNextKey } from '../rotation/index.ts';
import { raiseGeneration } from '../store/repositories/sites.ts';
import { defineHandlers, type Services } from './context.ts';

/** The service with everything real behind it; also what benchmarks and proofs drive without a socket. */
export function checkinService({ store, clock, live, keys, metrics, boxes, sightings }: Services): CheckinService {
  return createCheckinService({
    store,
    clock,
    bus: live,
    metrics: createCheckinMetrics(metrics),
    tokenMac: keys.tokenMac,
    relayKeysGeneration: keys.published.generation,
    signTime: (nonce, timeMs) => keys.sign('time', { timeMs, nonce }),
    alarm: (trx, { partnerId, applianceId, siteId, atMs }) =>
      appendAudit(trx, {
        partnerId,
        atMs,
        actor: `appliance:${applianceId}`,
        action: 'appliance.quarantined',
        ref: siteId,
        detail: { applianceId, reason: 'a check-in token was used twice' },
      }),
    noteRestored: (trx, { partnerId, applianceId, siteId, atMs }) =>
      appendAudit(trx, {
        partnerId,
        atMs,
        actor: `appliance:${applianceId}`,
        action: 'checkin.state_restored',
        ref: siteId,
        detail: { applianceId, reason: 'the box holds a newer token than this relay: its database is from a backup' },
      }),
    overtakeConfig: async (trx, { partnerId, applianceId, siteId, atMs, generation }) => {
      const { generation: now, isRaised } = await raiseGeneration(trx, siteId, generation);
      if (!isRaised) return now;
      await appendAudit(trx, {
        partnerId,
        atMs,
        actor: `appliance:${applianceId}`,
        action: 'site.config_reissued',
        ref: siteId,
        detail: { applianceId, boxHad: generation, generation: now },
      });
      return now;
    },
    sightings,
    onQuarantined: (applianceId) => boxes.forget(applianceId),
  });
}

export function checkinHandlers(services: Services) {
  const service = checkinService(services);
  return defineHandlers({
    checkin: async ({ box, body, raw, request, nowMs: atMs }) => {
      const answer = await service.checkin(box, body, raw, request.ip);
      const { applianceId, partnerId, fingerprint, dik: publicKey, follows } = box;
      if (follows !== undefined && answer.state === 'active') {
        const next = { applianceId, partnerId, fingerprint, publicKey, follows, atMs };
        await promoteNextKey(services.store, { ...next, by: 'checkin' });
        services.boxes.forget(applianceId);
      }
      return answer;
    },
  });
}
