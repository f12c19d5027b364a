import { canonicalBytes } from '@sitewarden/agent-proto/canonical';
import { MAX_ENVELOPE_BYTES } from '@sitewarden/agent-proto/dsse';
import { relayErrors } from '../errors.ts';
import { agentTiersOf } from '../lib/agent-tiers.ts';
import { type SiteConfigSource, siteConfigOf } from '../lib/site-config.ts';
import type { Tx } from '../store/index.ts';
import { readTierRules } from '../store/repositories/agent-tiers.ts';
import { listSecrets } from '../store/repositories/site-secrets.ts';
import type { RelayKeyring } from './types.ts';

export interface IssuedSiteConfig {
  /** Exact text of the DSSE envelope. */
  readonly envelope: string;
  readonly generation: number;
}

/** What is signed grows by a third in base64; type, key id and signature take less than the 500 bytes. */
const MAX_CONFIG_BYTES = Math.floor(((MAX_ENVELOPE_BYTES - 500) * 3) / 4);
const SITE_COLUMNS = [
  'site.id as site_id',
  'site.name as site_name',
  'site.agent_tier',
  'site.required_services',
  'site.check_interval_ms',
  'site.heartbeat_interval_ms',
  'site.config_generation',
] as const;

/**
 * The signed configuration of an appliance as its site stands now. Who changes the site raises `config_generation` in
 * the same transaction: a box takes only a higher generation. Throws APPLIANCE_UNKNOWN.
 */
export async function issueSiteConfig(
  trx: Tx,
  keys: Pick<RelayKeyring, 'sign'>,
  { applianceId, nowMs }: { applianceId: string; nowMs: number },
): Promise<IssuedSiteConfig> {
  const source = await trx
    .selectFrom('appliance')
    .innerJoin('site', 'site.id', 'appliance.site_id')
    .where('appliance.id', '=', applianceId)
    .select(['appliance.id as appliance_id', 'appliance.epoch', 'appliance.dik_fingerprint', 'appliance.seal'])
    .select(SITE_COLUMNS)
    .executeTakeFirst();
  if (source === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
  const parts = await partsOf(trx, source.site_id);
  const secrets = parts.secrets.filter(({ sealedTo }) => sealedTo === source.seal);
  const config = siteConfigOf({ ...source, ...parts, secrets }, nowMs);
  return { envelope: keys.sign('config', config), generation: source.config_generation };
}

async function partsOf(trx: Tx, siteId: string): Promise<Pick<SiteConfigSource, 'agentTiers' | 'secrets'>> {
  const tiers = await readTierRules(trx, siteId);
  const secrets = (await listSecrets(trx, siteId)).map((row) => {
    return { name: row.name, sealedTo: row.sealed_to, box: row.box, setAtMs: row.set_at_ms };
  });
  return { agentTiers: tiers === undefined ? {} : agentTiersOf(tiers.settings, tiers.rules), secrets };
}

/**
 * Runs a change of a site's settings. Throws SITE_CONFIG_FULL when no box could be given them any more, for they travel in
 * one envelope; what makes them smaller is always taken.
 */
export async function withinConfigRoom<T>(trx: Tx, siteId: string, change: () => Promise<T>): Promise<T> {
  const before = await configBytes(trx, siteId);
  const answer = await change();
  const after = await configBytes(trx, siteId);
  if (after <= MAX_CONFIG_BYTES || after <= before) return answer;
  throw relayErrors.make('SITE_CONFIG_FULL', { detail: `${after} bytes; at most ${MAX_CONFIG_BYTES}` });
}

/** With every secret, also those that only another box could open. 0 for a site that is not there. */
async function configBytes(trx: Tx, siteId: string): Promise<number> {
  const site = await trx.selectFrom('site').where('id', '=', siteId).select(SITE_COLUMNS).executeTakeFirst();
  if (site === undefined) return 0;
  // As long as those of any box.
  const box = { appliance_id: 'a'.repeat(30), epoch: 1_000_000, dik_fingerprint: 'a'.repeat(43) };
  const config = siteConfigOf({ ...site, ...box, ...(await partsOf(trx, siteId)) }, Date.UTC(2100, 0));
  return canonicalBytes(config).length;
}
