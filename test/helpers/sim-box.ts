import type { KeyObject } from 'node:crypto';
import type { CheckinRequest } from '@sitewarden/agent-proto/http';
import { fingerprint, generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { Frontier } from '@sitewarden/agent-proto/merkle';
import { newId } from '@sitewarden/kit/ids';
import type { Box } from '../../relay/lib/identity.ts';
import type { Store } from '../../relay/store/index.ts';
import { SimLog } from './sim-log.ts';

/** A claimed box written straight into the store: for services driven without a socket. */
export interface SimBox {
  readonly box: Box;
  readonly dik: KeyObject;
  readonly evk: KeyObject;
  readonly log: SimLog;
}

export interface SimSite {
  readonly partnerId: string;
  readonly siteId: string;
}

const RELAY_HOST = 'relay.test';

export async function seedBox(
  store: Store,
  { partnerId, siteId }: SimSite,
  options: { claimedAtMs?: number; host?: string } = {},
): Promise<SimBox> {
  const dik = generateEd25519();
  const evk = generateEd25519();
  const applianceId = newId('app');
  const epoch = 1;
  const origin = `${options.host ?? RELAY_HOST}/a/${applianceId}/${epoch}`;
  const dikFingerprint = fingerprint(dik.publicKey);
  await store.inTenant(partnerId, async (trx) => {
    await trx
      .insertInto('appliance')
      .values({
        id: applianceId,
        partner_id: partnerId,
        site_id: siteId,
        epoch,
        state: 'active',
        dik: dik.publicKey,
        dik_fingerprint: dikFingerprint,
        evk: evk.publicKey,
        seal: evk.publicKey,
        site_ca_fingerprint: 'none',
        serial: `SN-${applianceId.slice(-6)}`,
        model: 'sim',
        claimed_by: 'seed',
        claimed_at_ms: options.claimedAtMs ?? 1,
        order_seq: 0,
      })
      .execute();
    await trx
      .insertInto('key_directory')
      .values({
        fingerprint: dikFingerprint,
        public_key: dik.publicKey,
        partner_id: partnerId,
        appliance_id: applianceId,
      })
      .execute();
    await trx
      .insertInto('evidence_log')
      .values({
        appliance_id: applianceId,
        partner_id: partnerId,
        epoch,
        origin,
        received_size: 0,
        frontier: Buffer.from(new Frontier().toBytes()).toString('base64'),
        last_leaf_hash: '',
        cosigned_size: 0,
        cosigned_root: '',
        checkpoint: '',
        cosigned_at_ms: null,
        fault_code: null,
        fault_message: null,
        fault_at_ms: null,
      })
      .execute();
  });
  const evkPrivate = privateKeyFromPem(evk.privateKeyPem);
  return {
    box: {
      applianceId,
      partnerId,
      siteId,
      epoch,
      state: 'active',
      fingerprint: dikFingerprint,
      dik: dik.publicKey,
      evk: evk.publicKey,
    },
    dik: privateKeyFromPem(dik.privateKeyPem),
    evk: evkPrivate,
    log: new SimLog(origin, evkPrivate),
  };
}

/** A check-in as an idle box sends it; the same bytes for the same arguments. */
export function checkinBody(over: Partial<CheckinRequest> = {}): CheckinRequest {
  const empty = { depth: 0, oldestAgeMs: 0 };
  return {
    counter: 1,
    bootId: '0f8fad5b-d9cb-469f-a165-70867728950e',
    previousToken: null,
    timeNonce: null,
    versions: { appliance: '0.1.0', node: '24.21.0', os: 'NixOS 25.11' },
    configGeneration: 1,
    telemetry: { cpu_count: 4, memory_total_bytes: 8_000_000_000, uptime_s: 86_400 },
    lanes: { evidence: empty, receipts: empty, incidents: empty, telemetry: empty },
    agents: { total: 0, connected: 0, failing: 0 },
    devices: 0,
    incidentsOpen: 0,
    evidence: { epoch: 1, size: 0, cosignedSize: 0 },
    disk: { totalBytes: 64_000_000_000, freeBytes: 50_000_000_000 },
    clock: { nowMs: 1_800_000_000_000, quality: 'synced' },
    ...over,
  };
}
