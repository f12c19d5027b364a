import type { BoxKeys, DoctorFinding } from '@sitewarden/agent-proto/http';
import { type Selectable, sql } from 'kysely';
import type { RelayDatabase } from '../schema.ts';
import type { DirectoryTx, Tx } from '../types.ts';
import type { ReplacedBox } from './appliances.ts';

export type OfferRow = Selectable<RelayDatabase['box_offer']>;
export type ClaimRow = Selectable<RelayDatabase['provision_session']>;

/** What a box says of itself, and the fingerprint of its site CA that was checked. */
export interface BoxFacts {
  readonly keys: BoxKeys;
  readonly siteCaFingerprint: string;
  readonly serial: string;
  readonly model: string;
  readonly softwareVersion: string;
  readonly imageDigest: string;
}

export interface BoxFindings {
  readonly atMs: number;
  readonly findings: DoctorFinding[];
}

export interface NewOffer {
  readonly id: string;
  readonly partnerId: string | null;
  readonly secretHash: string | null;
  readonly fingerprint: string;
  readonly facts: BoxFacts;
  readonly commitment: string | null;
  readonly boxNonce: string | null;
  readonly relayNonce: string;
  readonly number: string | null;
  readonly startedAtMs: number;
  readonly expiresAtMs: number;
  readonly address: string;
}

export async function insertOffer(trx: DirectoryTx | Tx, offer: NewOffer): Promise<void> {
  await (trx as DirectoryTx)
    .insertInto('box_offer')
    .values({
      id: offer.id,
      partner_id: offer.partnerId,
      secret_hash: offer.secretHash,
      dik: offer.facts.keys.dik,
      fingerprint: offer.fingerprint,
      facts: offer.partnerId === null ? JSON.stringify(offer.facts) : '',
      commitment: offer.commitment,
      box_nonce: offer.boxNonce,
      relay_nonce: offer.relayNonce,
      number: offer.number,
      started_at_ms: offer.startedAtMs,
      expires_at_ms: offer.expiresAtMs,
      serial: offer.facts.serial,
      address: offer.address,
    })
    .execute();
}

export async function findOffer(trx: DirectoryTx | Tx, id: string): Promise<OfferRow | undefined> {
  return (trx as DirectoryTx).selectFrom('box_offer').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findOfferBySecret(trx: DirectoryTx, secretHash: string): Promise<OfferRow | undefined> {
  return trx.selectFrom('box_offer').selectAll().where('secret_hash', '=', secretHash).executeTakeFirst();
}

/** A box that starts again shows one code, not two. */
export async function deleteUnclaimedOffers(trx: DirectoryTx, fingerprint: string): Promise<void> {
  await trx.deleteFrom('box_offer').where('fingerprint', '=', fingerprint).where('partner_id', 'is', null).execute();
}

/** Keeps the nonce and number revealed first. */
export async function revealOffer(
  trx: DirectoryTx,
  { id, boxNonce, number }: { id: string; boxNonce: string; number: string },
): Promise<void> {
  await trx
    .updateTable('box_offer')
    .set({ box_nonce: boxNonce, number })
    .where('id', '=', id)
    .where('box_nonce', 'is', null)
    .execute();
}

export async function keepFindings(
  trx: DirectoryTx,
  { id, findings, nowMs }: { id: string; findings: readonly DoctorFinding[]; nowMs: number },
): Promise<void> {
  const values = { doctor: JSON.stringify(findings), doctor_at_ms: nowMs };
  await trx.updateTable('box_offer').set(values).where('id', '=', id).execute();
}

/** What the box last said of its way to the relay; null when it never did. */
export function findingsOf({
  doctor,
  doctor_at_ms: atMs,
}: Pick<OfferRow, 'doctor' | 'doctor_at_ms'>): BoxFindings | null {
  return doctor === null || atMs === null ? null : { atMs, findings: JSON.parse(doctor) as DoctorFinding[] };
}

/** The one atomic update of the way in where the box shows the code: true for one caller, false for all others. */
export async function takeOffer(
  trx: Tx,
  { id, partnerId, nowMs }: { id: string; partnerId: string; nowMs: number },
): Promise<boolean> {
  const result = await trx
    .updateTable('box_offer')
    .set({ partner_id: partnerId, facts: '' })
    .where('id', '=', id)
    .where('partner_id', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export interface NewClaim {
  readonly id: string;
  readonly partnerId: string;
  readonly siteId: string;
  readonly codeId: string | null;
  readonly fingerprint: string;
  readonly facts: BoxFacts;
  readonly relayNonce: string;
  readonly number: string;
  readonly startedAtMs: number;
  readonly expiresAtMs: number;
  readonly claimedBy: string;
  readonly nowMs: number;
}

export async function insertClaim(trx: Tx, claim: NewClaim): Promise<void> {
  const { facts } = claim;
  await trx
    .insertInto('provision_session')
    .values({
      id: claim.id,
      partner_id: claim.partnerId,
      site_id: claim.siteId,
      code_id: claim.codeId,
      state: 'claimed',
      fingerprint: claim.fingerprint,
      keys: JSON.stringify({ ...facts.keys, siteCaFingerprint: facts.siteCaFingerprint }),
      relay_nonce: claim.relayNonce,
      number: claim.number,
      serial: facts.serial,
      model: facts.model,
      software_version: facts.softwareVersion,
      image_digest: facts.imageDigest,
      started_at_ms: claim.startedAtMs,
      expires_at_ms: claim.expiresAtMs,
      claimed_by: claim.claimedBy,
      claimed_at_ms: claim.nowMs,
      approved_by: null,
      approved_at_ms: null,
      acknowledged_at_ms: null,
      appliance_id: null,
      disputed_at_ms: null,
      arrival: null,
    })
    .execute();
}

export async function findClaim(trx: Tx, id: string): Promise<ClaimRow | undefined> {
  return trx.selectFrom('provision_session').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findClaimByCode(trx: Tx, codeId: string): Promise<ClaimRow | undefined> {
  return trx.selectFrom('provision_session').selectAll().where('code_id', '=', codeId).executeTakeFirst();
}

/** Newest first; those that wait come with the others, the caller sorts. */
export async function listClaims(
  trx: Tx,
  partnerId: string,
  limit: number,
): Promise<{ claim: ClaimRow; progress: ClaimProgress; replaces: ReplacedBox | null }[]> {
  const rows = await trx
    .selectFrom('provision_session as claim')
    .innerJoin('site', 'site.id', 'claim.site_id')
    .leftJoin('appliance_live as live', 'live.appliance_id', 'claim.appliance_id')
    .leftJoin('appliance as old', (join) =>
      join
        .onRef('old.site_id', '=', 'claim.site_id')
        .onRef('old.dik_fingerprint', '<>', 'claim.fingerprint')
        .on(sql<boolean>`old.state <> 'revoked'`),
    )
    .leftJoin('appliance_live as old_live', 'old_live.appliance_id', 'old.id')
    .selectAll('claim')
    .select(['site.name as site_name', 'live.appliance_id as heard_of'])
    .select(['old.id as old_id', 'old.serial as old_serial', 'old_live.last_checkin_at_ms as old_checkin_at_ms'])
    .select((eb) =>
      eb
        .selectFrom('agent')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('agent.appliance_id', '=', 'claim.appliance_id')
        .where('agent.state', '=', 'active')
        .as('agents'),
    )
    .where('claim.partner_id', '=', partnerId)
    .orderBy('claim.started_at_ms', 'desc')
    .orderBy('claim.id')
    .limit(limit)
    .execute();
  return rows.map(
    ({ site_name: siteName, heard_of, agents, old_id, old_serial, old_checkin_at_ms: lastCheckinAtMs, ...claim }) => ({
      claim,
      progress: { siteName, hasCheckedIn: heard_of !== null, agents: Number(agents) },
      replaces:
        old_id === null || old_serial === null ? null : { applianceId: old_id, serial: old_serial, lastCheckinAtMs },
    }),
  );
}

/** Holds the claim until the transaction ends: rows are locked in one order, the claim before appliances and the audit. */
export async function lockClaim(trx: Tx, id: string): Promise<void> {
  await trx
    .updateTable('provision_session')
    .set((eb) => ({ state: eb.ref('state') }))
    .where('id', '=', id)
    .execute();
}

/** Claimed to approved, for one caller, and never over a dispute. */
export async function approveClaim(
  trx: Tx,
  { id, applianceId, by, nowMs }: { id: string; applianceId: string; by: string; nowMs: number },
): Promise<boolean> {
  const result = await trx
    .updateTable('provision_session')
    .set({ state: 'approved', approved_by: by, approved_at_ms: nowMs, appliance_id: applianceId })
    .where('id', '=', id)
    .where('state', '=', 'claimed')
    .where('disputed_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export async function rejectClaim(trx: Tx, id: string): Promise<boolean> {
  const result = await trx
    .updateTable('provision_session')
    .set({ state: 'rejected' })
    .where('id', '=', id)
    .where('state', '=', 'claimed')
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export async function acknowledgeClaim(trx: Tx, id: string, nowMs: number): Promise<boolean> {
  const result = await trx
    .updateTable('provision_session')
    .set({ state: 'acknowledged', acknowledged_at_ms: nowMs })
    .where('id', '=', id)
    .where('state', '=', 'approved')
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** True the first time. */
export async function disputeClaim(trx: Tx, id: string, nowMs: number): Promise<boolean> {
  const result = await trx
    .updateTable('provision_session')
    .set({ disputed_at_ms: nowMs })
    .where('id', '=', id)
    .where('disputed_at_ms', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export interface ClaimProgress {
  readonly siteName: string;
  readonly hasCheckedIn: boolean;
  readonly agents: number;
}

/** How far a claim has come after its approval. */
export async function claimProgress(trx: Tx, siteId: string, applianceId: string | null): Promise<ClaimProgress> {
  const site = await trx.selectFrom('site').select('name').where('id', '=', siteId).executeTakeFirst();
  const siteName = site?.name ?? '';
  if (applianceId === null) return { siteName, hasCheckedIn: false, agents: 0 };
  const live = await trx
    .selectFrom('appliance_live')
    .select('appliance_id')
    .where('appliance_id', '=', applianceId)
    .executeTakeFirst();
  const agents = await trx
    .selectFrom('agent')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('appliance_id', '=', applianceId)
    .where('state', '=', 'active')
    .executeTakeFirstOrThrow();
  return { siteName, hasCheckedIn: live !== undefined, agents: Number(agents.count) };
}

/** Offers nobody claimed and those that led to claims long ago. */
export async function purgeOffers(
  trx: DirectoryTx,
  endedBeforeMs: { readonly claimed: number; readonly nobodys: number },
): Promise<void> {
  await trx.deleteFrom('box_offer').where('expires_at_ms', '<', endedBeforeMs.claimed).execute();
  await trx
    .deleteFrom('box_offer')
    .where('partner_id', 'is', null)
    .where('expires_at_ms', '<', endedBeforeMs.nobodys)
    .execute();
}
