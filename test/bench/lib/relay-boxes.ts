import { type KeyObject, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOX_PATHS, type CheckinRequest, LANES } from '@sitewarden/agent-proto/http';
import { makeNonce, type SignedHeaders, signRequest } from '@sitewarden/agent-proto/http-signature';
import { fingerprint, generateEd25519, privateKeyFromPem } from '@sitewarden/agent-proto/keys';
import { newId } from '@sitewarden/kit/ids';
import { createPartner } from '../../../relay/accounts/index.ts';
import { type RelayConfig, readConfig } from '../../../relay/config/index.ts';
import { initKeys } from '../../../relay/keys/index.ts';
import { openStore, storeOptions } from '../../../relay/store/index.ts';

/** A claimed box as far as a check-in needs one. */
export interface BenchBox {
  readonly applianceId: string;
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly bootId: string;
  counter: number;
  /** From the last answer. */
  token: string | null;
}

export interface RelayFolder {
  readonly config: RelayConfig;
  readonly configText: string;
  readonly boxes: readonly BenchBox[];
  remove(): void;
}

const NO_LIMIT = 10_000_000;

/** A relay's data folder with its keys and claimed boxes: claiming is not what is measured. No relay runs on it yet. */
export async function makeRelayFolder(count: number): Promise<RelayFolder> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  const limits = { requestsPerMinute: NO_LIMIT, boxRequestsPerMinute: NO_LIMIT, claimsPerMinute: NO_LIMIT };
  const configText = JSON.stringify({
    publicUrl: 'http://relay.bench',
    listen: { host: '127.0.0.1', port: 0 },
    dataDir,
    logLevel: 'warn',
    limits,
  });
  const config = readConfig(configText);
  const boxes = await claimBoxes(config, count);
  await initKeys({ dataDir, host: 'relay.bench', nowMs: Date.now() });
  return { config, configText, boxes, remove: () => rmSync(dataDir, { recursive: true, force: true }) };
}

async function claimBoxes(config: RelayConfig, count: number): Promise<BenchBox[]> {
  const store = await openStore(await storeOptions(config));
  const nowMs = Date.now();
  try {
    const partnerId = await createPartner(store, { name: 'Bench', nowMs });
    const made = Array.from({ length: count }, () => makeBox(partnerId, nowMs));
    await store.inTenant(partnerId, async (trx) => {
      const clientId = newId('cli');
      const client = { id: clientId, partner_id: partnerId, name: 'Clinic', created_at_ms: nowMs };
      await trx.insertInto('client').values(client).execute();
      for (const { siteId, appliance } of made) {
        const site = {
          id: siteId,
          partner_id: partnerId,
          client_id: clientId,
          name: siteId,
          agent_tier: 0,
          required_services: '[]',
          check_interval_ms: 300_000,
          heartbeat_interval_ms: 60_000,
          config_generation: 1,
          created_at_ms: nowMs,
        };
        await trx.insertInto('site').values(site).execute();
        await trx.insertInto('appliance').values(appliance).execute();
      }
    });
    await store.system(async (trx) => {
      for (const { appliance } of made) {
        const { dik_fingerprint, dik, id } = appliance;
        const row = { fingerprint: dik_fingerprint, public_key: dik, partner_id: partnerId, appliance_id: id };
        await trx
          .insertInto('key_directory')
          .values({ ...row, revoked_at_ms: null })
          .execute();
      }
    });
    return made.map(({ box }) => box);
  } finally {
    await store.close();
  }
}

function makeBox(partnerId: string, nowMs: number) {
  const dik = generateEd25519();
  const siteId = newId('site');
  const keyId = fingerprint(dik.publicKey);
  const box: BenchBox = {
    applianceId: newId('app'),
    keyId,
    privateKey: privateKeyFromPem(dik.privateKeyPem),
    bootId: randomUUID(),
    counter: 0,
    token: null,
  };
  const appliance = {
    id: box.applianceId,
    partner_id: partnerId,
    site_id: siteId,
    epoch: 1,
    state: 'active',
    dik: dik.publicKey,
    dik_fingerprint: keyId,
    evk: dik.publicKey,
    seal: dik.publicKey,
    site_ca_fingerprint: keyId,
    serial: 'BENCH',
    model: 'bench',
    claimed_by: 'bench',
    claimed_at_ms: nowMs,
    order_seq: 0,
  };
  return { box, siteId, appliance };
}

export interface SignedCheckin {
  readonly box: BenchBox;
  readonly body: Buffer;
  readonly headers: SignedHeaders;
}

/** The next check-in of this box, as large as an ordinary one. */
export function nextCheckin(box: BenchBox, url: string): SignedCheckin {
  box.counter += 1;
  const request: CheckinRequest = {
    counter: box.counter,
    bootId: box.bootId,
    previousToken: box.token,
    timeNonce: null,
    versions: { appliance: '0.1.0', node: process.version, os: 'NixOS 25.11' },
    configGeneration: 1,
    telemetry: { cpu_percent: 7, memory_used_bytes: 812_000_000, uptime_s: 86_400, load_1m_percent: 12 },
    lanes: Object.fromEntries(LANES.map((lane) => [lane, { depth: 0, oldestAgeMs: 0 }])) as CheckinRequest['lanes'],
    agents: { total: 25, connected: 24, failing: 1 },
    devices: 61,
    incidentsOpen: 1,
    evidence: { epoch: 1, size: 1042, cosignedSize: 1042 },
    disk: { totalBytes: 64_000_000_000, freeBytes: 41_000_000_000 },
    clock: { nowMs: Date.now(), quality: 'synced' },
  };
  const body = Buffer.from(JSON.stringify(request));
  const headers = signRequest({
    method: 'POST',
    url: new URL(BOX_PATHS.checkin, url),
    body,
    keyId: box.keyId,
    privateKey: box.privateKey,
    createdS: Math.floor(Date.now() / 1000),
    nonce: makeNonce(),
  });
  return { box, body, headers };
}

/** The same as it goes over the wire. */
export function requestBytes({ body, headers }: SignedCheckin): Buffer {
  const lines = [
    `POST ${BOX_PATHS.checkin} HTTP/1.1`,
    'host: relay.bench',
    'content-type: application/json',
    `content-length: ${body.length}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
}
