import { relayErrors } from '../errors.ts';
import { siteConfigOf } from '../lib/site-config.ts';
import type { Tx } from '../store/index.ts';
import { listSecrets } from '../store/repositories/site-secrets.ts';
import type { RelayKeyring } from './types.ts';

export interface IssuedSiteConfig {
  /** Exact text of the DSSE envelope. */
  readonly envelope: string;
  readonly generation: number;
}

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
    .select([
      'appliance.id as appliance_id',
      'appliance.epoch',
      'appliance.dik_fingerprint',
      'appliance.seal',
      'site.id as site_id',
      'site.name as site_name',
      'site.agent_tier',
      'site.required_services',
      'site.check_interval_ms',
      'site.heartbeat_interval_ms',
      'site.config_generation',
    ])
    .executeTakeFirst();
  if (source === undefined) throw relayErrors.make('APPLIANCE_UNKNOWN');
  const secrets = (await listSecrets(trx, source.site_id))
    .filter((row) => row.sealed_to === source.seal)
    .map((row) => ({ name: row.name, sealedTo: row.sealed_to, box: row.box, setAtMs: row.set_at_ms }));
  const config = siteConfigOf({ ...source, secrets }, nowMs);
  return { envelope: keys.sign('config', config), generation: source.config_generation };
}
