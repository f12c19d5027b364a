import { SECRET_LIMITS } from '@sitewarden/agent-proto/http';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import { sealTo, withinConfigRoom } from '../keys/index.ts';
import type { Tenant } from '../lib/identity.ts';
import { assertSite } from '../sites/index.ts';
import type { Tx } from '../store/index.ts';
import { deleteSecret, listSecrets, putSecret, sealKeyAt } from '../store/repositories/site-secrets.ts';
import { lockSite, raiseSiteConfig } from '../store/repositories/sites.ts';

/** A secret as people see it: never its value, which nobody here can read any more. */
export interface SecretView {
  name: string;
  setBy: string;
  setAtMs: number;
  /** The box at the site has another key since, or there is none: it has to be entered again. */
  isToEnterAgain: boolean;
}

interface Wish {
  readonly tenant: Tenant;
  readonly siteId: string;
  readonly name: string;
  readonly nowMs: number;
}

/** Throws NOT_FOUND. */
export async function secretsOf(trx: Tx, siteId: string, nowMs: number) {
  await assertSite(trx, siteId);
  const box = await sealKeyAt(trx, siteId);
  const secrets = (await listSecrets(trx, siteId)).map(
    (row): SecretView => ({
      name: row.name,
      setBy: row.set_by,
      setAtMs: row.set_at_ms,
      isToEnterAgain: row.sealed_to !== box?.seal,
    }),
  );
  return { secrets, hasBox: box?.isOne === true, asOfMs: nowMs };
}

/**
 * Seals a value to the box of the site at once; the plain text goes no further than this. The box gets it with its next
 * configuration. Throws NOT_FOUND, SECRET_NO_BOX, SECRETS_FULL, SECRET_KEY_UNFIT, SITE_CONFIG_FULL.
 */
export async function setSecret(
  trx: Tx,
  { tenant, siteId, name, nowMs, value }: Wish & { value: string },
): Promise<void> {
  await assertSite(trx, siteId);
  if (Buffer.byteLength(value) > SECRET_LIMITS.valueBytes) {
    const detail = `A value has at most ${SECRET_LIMITS.valueBytes} bytes`;
    throw relayErrors.make('BODY_INVALID', { field: '/value', detail });
  }
  const target = await sealKeyAt(trx, siteId);
  if (target?.isOne !== true) throw relayErrors.make('SECRET_NO_BOX');
  const box = sealTo(target.seal, { siteId, name, value });
  if (box.length > SECRET_LIMITS.sealedChars) {
    throw relayErrors.make('BODY_INVALID', {
      field: '/value',
      detail: 'Sealed it is too long: it has too many control characters',
    });
  }
  // Of two that are set at once the second counts the first.
  await lockSite(trx, siteId);
  // Only those of this box travel in its configuration; others wait to be entered again or removed.
  const others = (await listSecrets(trx, siteId)).filter((row) => row.name !== name);
  const chars = others.reduce((sum, row) => sum + row.box.length, box.length);
  if (others.length >= SECRET_LIMITS.count || chars > SECRET_LIMITS.sealedChars) throw relayErrors.make('SECRETS_FULL');
  const { partnerId, actor } = tenant;
  const row = { partner_id: partnerId, site_id: siteId, name, sealed_to: target.seal, box };
  await withinConfigRoom(trx, siteId, () => putSecret(trx, { ...row, set_by: actor, set_at_ms: nowMs }));
  await raiseSiteConfig(trx, siteId);
  await audit(trx, { tenant, siteId, name, nowMs }, 'secret.set', target.applianceId);
}

/** Throws NOT_FOUND. */
export async function removeSecret(trx: Tx, wish: Wish): Promise<void> {
  const { siteId, name } = wish;
  await assertSite(trx, siteId);
  if (!(await deleteSecret(trx, { siteId, name }))) throw relayErrors.make('NOT_FOUND');
  await raiseSiteConfig(trx, siteId);
  await audit(trx, wish, 'secret.removed', null);
}

async function audit(trx: Tx, wish: Wish, action: string, applianceId: string | null): Promise<void> {
  const { tenant, siteId, name, nowMs } = wish;
  const { partnerId, actor, staffId } = tenant;
  await appendAudit(trx, {
    partnerId,
    atMs: nowMs,
    actor,
    action,
    ref: siteId,
    detail: { name, applianceId, staffId },
  });
}
