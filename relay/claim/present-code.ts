import { confirmationNumber, type ProvisionAnswer, type ProvisionClaimRequest } from '@sitewarden/agent-proto/http';
import { newId } from '@sitewarden/kit/ids';
import { appendAudit } from '../audit/index.ts';
import { type RelayErrorCode, relayErrors } from '../errors.ts';
import type { Device } from '../lib/identity.ts';
import { newNonce, secretHash } from '../lib/secrets.ts';
import type { Tx } from '../store/index.ts';
import {
  type BoxFacts,
  disputeClaim,
  findClaim,
  findClaimByCode,
  insertClaim,
  insertOffer,
} from '../store/repositories/claims.ts';
import { type CodeRow, disputeCode, findCode, returnTry, takeCode, takeTry } from '../store/repositories/codes.ts';
import { findSecret, type SecretOwner } from '../store/repositories/directory.ts';
import { approveOrWait } from './approval.ts';
import { boxFacts } from './box-side.ts';
import { type Code, decideCode } from './code-machine.ts';
import { announce, type ClaimDeps } from './deps.ts';
import { claimAnswer } from './grant.ts';
import { APPROVAL_TTL_MS } from './machine.ts';
import { isTypedSecret } from './typed-code.ts';

/** What came of it. A refusal is a value too: what it wrote (a dispute) must be committed before it is thrown. */
type Outcome =
  | { ok: true; answer: ProvisionAnswer; siteId: string; touched: string[] }
  | { ok: false; code: RelayErrorCode; siteId: string; isDispute: boolean };

const codeOf = (row: CodeRow): Code => ({
  expiresAtMs: row.expires_at_ms,
  revokedAtMs: row.revoked_at_ms,
  usedByFingerprint: row.used_by_fingerprint,
});

/** The way in where the partner made the code and the box presents it. */
export function createCodePresenter(deps: ClaimDeps) {
  const { store, keys } = deps;

  /** Whose code this is. Throws CODE_INVALID for everyone who does not know the secret, CODE_LOCKED. */
  async function findOwner(code: ProvisionClaimRequest['code']): Promise<SecretOwner> {
    const isTyped = code.form === 'typed';
    const kind = isTyped ? 'locator' : 'code';
    const hash = secretHash(kind, isTyped ? code.locator : code.secret);
    const owner = await store.system((trx) => findSecret(trx, kind, hash));
    if (isTyped) await checkTyped(owner, code.secret);
    if (owner === undefined) throw relayErrors.make('CODE_INVALID');
    return owner;
  }

  /** A try is paid before the guess is looked at, so many at once cannot have more than there are. */
  async function checkTyped(owner: SecretOwner | undefined, secret: string): Promise<void> {
    const row =
      owner &&
      (await store.inTenant(owner.partnerId, async (trx) => {
        if (!(await takeTry(trx, owner.refId))) throw relayErrors.make('CODE_LOCKED');
        return findCode(trx, owner.refId);
      }));
    const isRight = await isTypedSecret(secret, row && { salt: row.typed_salt, hash: row.typed_hash });
    if (!isRight || owner === undefined) throw relayErrors.make('CODE_INVALID');
    await store.inTenant(owner.partnerId, (trx) => returnTry(trx, owner.refId));
  }

  async function decide(
    trx: Tx,
    codeId: string,
    box: { device: Device; facts: BoxFacts; boxNonce: string; nowMs: number },
  ): Promise<Outcome> {
    const { device, nowMs } = box;
    const taken = await takeCode(trx, { id: codeId, fingerprint: device.fingerprint, nowMs });
    const code = await findCode(trx, codeId);
    if (code === undefined) return { ok: false, code: 'CODE_INVALID', siteId: '', isDispute: false };
    if (taken) return use(trx, code, box);
    const verdict = decideCode(codeOf(code), device.fingerprint, nowMs);
    if (!verdict.ok) {
      if (verdict.isDispute) await dispute(trx, code, { device, nowMs });
      return { ok: false, code: verdict.code, siteId: code.site_id, isDispute: verdict.isDispute };
    }
    const claim = await findClaimByCode(trx, codeId);
    if (claim === undefined) return { ok: false, code: 'CODE_INVALID', siteId: code.site_id, isDispute: false };
    return { ok: true, answer: await claimAnswer(trx, claim, { keys, nowMs }), siteId: code.site_id, touched: [] };
  }

  async function use(
    trx: Tx,
    code: CodeRow,
    box: { device: Device; facts: BoxFacts; boxNonce: string; nowMs: number },
  ): Promise<Outcome> {
    const { device, facts, boxNonce, nowMs } = box;
    const { partner_id: partnerId, site_id: siteId } = code;
    const id = newId('ps');
    const relayNonce = newNonce();
    const number = confirmationNumber(facts.keys, boxNonce, relayNonce);
    const shared = { id, partnerId, fingerprint: device.fingerprint, facts, relayNonce, number };
    const times = { startedAtMs: nowMs, expiresAtMs: nowMs + APPROVAL_TTL_MS };
    await insertOffer(trx, {
      ...shared,
      ...times,
      secretHash: null,
      commitment: null,
      boxNonce,
      address: device.address,
    });
    await insertClaim(trx, { ...shared, ...times, siteId, codeId: code.id, claimedBy: code.created_by, nowMs });
    await appendAudit(trx, {
      partnerId,
      atMs: nowMs,
      actor: 'box',
      action: 'code.used',
      ref: code.id,
      detail: { siteId, claim: id, serial: facts.serial, fingerprint: device.fingerprint },
    });
    const claim = await findClaim(trx, id);
    if (claim === undefined) throw new TypeError('a claim just written is not there');
    // A box that came to the site since the code was made was agreed to by nobody: then the claim waits for a person.
    const wish = { keys, by: code.created_by, staffId: null, agreed: code.replaces, nowMs };
    const touched = code.pre_approved ? await approveOrWait(trx, claim, wish) : [];
    const now = touched.length > 0 ? ((await findClaim(trx, id)) ?? claim) : claim;
    return { ok: true, answer: await claimAnswer(trx, now, { keys, nowMs }), siteId, touched };
  }

  async function dispute(trx: Tx, code: CodeRow, { device, nowMs }: { device: Device; nowMs: number }): Promise<void> {
    await disputeCode(trx, code.id, nowMs);
    const claim = await findClaimByCode(trx, code.id);
    if (claim === undefined || !(await disputeClaim(trx, claim.id, nowMs))) return;
    await appendAudit(trx, {
      partnerId: code.partner_id,
      atMs: nowMs,
      actor: 'box',
      action: 'claim.disputed',
      ref: claim.id,
      detail: { code: code.id, siteId: code.site_id, secondFingerprint: device.fingerprint },
    });
  }

  /**
   * One box gets the code. The same key asking again gets the same answer. Throws CODE_INVALID, CODE_USED, CODE_REVOKED,
   * CODE_LOCKED, and what is wrong with the box's own facts.
   */
  return async function present(device: Device, body: ProvisionClaimRequest, nowMs: number): Promise<ProvisionAnswer> {
    const facts = await boxFacts(body, device);
    const { partnerId, refId } = await findOwner(body.code);
    const outcome = await store.inTenant(partnerId, (trx) =>
      decide(trx, refId, { device, facts, boxNonce: body.boxNonce, nowMs }),
    );
    if (outcome.ok) {
      announce(deps, { partnerId, siteId: outcome.siteId, appliances: outcome.touched }, nowMs);
      return outcome.answer;
    }
    if (outcome.isDispute) announce(deps, { partnerId, siteId: outcome.siteId, appliances: [] }, nowMs);
    throw relayErrors.make(outcome.code);
  };
}
