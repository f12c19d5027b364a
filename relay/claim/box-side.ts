import {
  confirmationNumber,
  nonceCommitment,
  type ProvisionAnswer,
  type ProvisionDoctorRequest,
  type ProvisionStartRequest,
  type ProvisionStartResponse,
} from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Device } from '../lib/identity.ts';
import { assertName } from '../lib/names.ts';
import { newNonce, secretHash } from '../lib/secrets.ts';
import {
  acknowledgeClaim,
  type BoxFacts,
  type ClaimRow,
  deleteUnclaimedOffers,
  findClaim,
  findOffer,
  insertOffer,
  keepFindings,
  type OfferRow,
  revealOffer,
} from '../store/repositories/claims.ts';
import { arrive } from './arrive.ts';
import { checkBoxKeys } from './box-keys.ts';
import { announce, type ClaimDeps } from './deps.ts';
import { claimAnswer, unclaimedAnswer } from './grant.ts';
import { decideClaim, OFFER_TTL_MS } from './machine.ts';
import { disputeSecondStart } from './second-start.ts';
import { claimOf } from './view.ts';

const POLL_AFTER_MS = 2000;

/** Checks what a box says of itself. Throws KEYS_MISMATCH, BODY_INVALID, CSR_INVALID. */
export async function boxFacts(
  body: Pick<ProvisionStartRequest, 'keys' | 'serial' | 'model' | 'softwareVersion' | 'imageDigest'>,
  device: Device,
): Promise<BoxFacts> {
  const { keys, serial, model, softwareVersion, imageDigest } = body;
  if (keys.dik !== device.dik) throw relayErrors.make('KEYS_MISMATCH');
  // People read it when they decide which box this is; the serial has a pattern of its own.
  assertName(model, '/model', 'BODY_INVALID');
  return { keys, siteCaFingerprint: await checkBoxKeys(keys), serial, model, softwareVersion, imageDigest };
}

/** What boxes ask while they are shown, claimed and approved. */
export function createBoxSide(deps: ClaimDeps) {
  const { store, keys, publicUrl } = deps;

  async function ownOffer(session: string, device: Device): Promise<OfferRow> {
    const offer = await store.system((trx) => findOffer(trx, session));
    if (offer === undefined) throw relayErrors.make('SESSION_UNKNOWN');
    if (offer.fingerprint !== device.fingerprint) throw relayErrors.make('KEYS_MISMATCH');
    return offer;
  }

  /** The nonce must be the one committed to, and always the same one. */
  async function reveal(offer: OfferRow, boxNonce: string): Promise<OfferRow & { number: string }> {
    if (offer.box_nonce !== null) {
      if (offer.box_nonce !== boxNonce || offer.number === null) throw relayErrors.make('COMMITMENT_MISMATCH');
      return { ...offer, number: offer.number };
    }
    if (offer.commitment !== nonceCommitment(boxNonce)) throw relayErrors.make('COMMITMENT_MISMATCH');
    const facts = JSON.parse(offer.facts) as BoxFacts;
    const number = confirmationNumber(facts.keys, boxNonce, offer.relay_nonce);
    await store.system((trx) => revealOffer(trx, { id: offer.id, boxNonce, number }));
    return { ...offer, box_nonce: boxNonce, number };
  }

  async function acknowledge(claim: ClaimRow, applianceId: string, nowMs: number): Promise<void> {
    const verdict = decideClaim(claimOf(claim), { type: 'acknowledge', applianceId }, nowMs);
    if (!verdict.ok) throw relayErrors.make(verdict.code);
    if (verdict.effects.length === 0) return;
    const { partner_id: partnerId, site_id: siteId } = claim;
    await store.inTenant(partnerId, async (trx) => {
      if (!(await acknowledgeClaim(trx, claim.id, nowMs))) return;
      const who = { partnerId, atMs: nowMs, actor: 'box' };
      await appendAudit(trx, { ...who, action: 'claim.acknowledged', ref: claim.id, detail: { applianceId } });
    });
    announce(deps, { partnerId, siteId, appliances: [applianceId] }, nowMs);
  }

  return {
    /** The newest word counts. Throws SESSION_UNKNOWN, KEYS_MISMATCH. */
    async tellDoctor(device: Device, { session, findings }: ProvisionDoctorRequest, nowMs: number): Promise<void> {
      await ownOffer(session, device);
      await store.system((trx) => keepFindings(trx, { id: session, findings, nowMs }));
    },

    async start(device: Device, body: ProvisionStartRequest, nowMs: number): Promise<ProvisionStartResponse> {
      const facts = await boxFacts(body, device);
      await disputeSecondStart(deps, device.fingerprint, nowMs);
      const id = newId('ps');
      const secret = newNonce();
      const relayNonce = newNonce();
      const expiresAtMs = nowMs + OFFER_TTL_MS;
      await store.system(async (trx) => {
        await deleteUnclaimedOffers(trx, device.fingerprint);
        await insertOffer(trx, {
          id,
          partnerId: null,
          secretHash: secretHash('offer', secret),
          fingerprint: device.fingerprint,
          facts,
          commitment: body.commitment,
          boxNonce: null,
          relayNonce,
          number: null,
          startedAtMs: nowMs,
          expiresAtMs,
          address: device.address,
        });
      });
      return {
        session: id,
        relayNonce,
        expiresAtMs,
        pollAfterMs: POLL_AFTER_MS,
        claimUrl: `${publicUrl()}/claim#v1.${secret}.${device.fingerprint}`,
        relayKeys: keys.publishedText,
      };
    },

    async status(
      device: Device,
      { session, boxNonce }: { session: string; boxNonce: string },
      nowMs: number,
    ): Promise<ProvisionAnswer> {
      const offer = await reveal(await ownOffer(session, device), boxNonce);
      const partnerId = offer.partner_id ?? (await arrive(deps, offer, nowMs));
      if (partnerId === null) return unclaimedAnswer(offer, nowMs);
      return store.inTenant(partnerId, async (trx) => {
        const claim = await findClaim(trx, session);
        if (claim === undefined) throw relayErrors.make('SESSION_UNKNOWN');
        return claimAnswer(trx, claim, { keys, nowMs });
      });
    },

    async ack(device: Device, { session, applianceId }: { session: string; applianceId: string }, nowMs: number) {
      const { partner_id: partnerId } = await ownOffer(session, device);
      const claim = partnerId === null ? undefined : await store.inTenant(partnerId, (trx) => findClaim(trx, session));
      if (claim === undefined) throw relayErrors.make('SESSION_UNKNOWN');
      await acknowledge(claim, applianceId, nowMs);
    },
  };
}
