import { createHash } from 'node:crypto';
import type { RelayKeys, SiteConfig } from '@sitewarden/agent-proto/http';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { readRelayKeys, readSiteConfig, TrustError } from '../lib/trust.ts';
import { agents, changes, state } from '../store/index.ts';

export interface SignedConfig {
  readonly config: string;
  readonly relayKeys: string;
}

export interface VerifiedConfig {
  readonly keys: RelayKeys;
  readonly config: SiteConfig;
}

/** Whose configuration it must be. */
export interface ConfigOwner {
  readonly rootKey: string;
  readonly dikFingerprint: string;
  readonly applianceId: string;
  readonly epoch: number;
}

/** Keys under the pinned root, the configuration under those keys, and both for this box. Throws CONFIG_REFUSED. */
export function verifyConfig(signed: SignedConfig, owner: ConfigOwner): VerifiedConfig {
  try {
    const keys = readRelayKeys(signed.relayKeys, owner.rootKey);
    const config = readSiteConfig(signed.config, keys);
    const fault = foreignField(config, owner);
    if (fault === undefined) return { keys, config };
    throw new TrustError(`${fault} is another box's`);
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    throw applianceErrors.make('CONFIG_REFUSED', { detail: error.message, cause: error });
  }
}

function foreignField(config: SiteConfig, owner: ConfigOwner): string | undefined {
  if (config.applianceId !== owner.applianceId) return 'applianceId';
  if (config.epoch !== owner.epoch) return 'epoch';
  return config.dikFingerprint === owner.dikFingerprint ? undefined : 'dikFingerprint';
}

/** Stores keys and configuration and what follows from them. Belongs in a transaction; emit `config` and `change` after. */
export function storeConfig(
  db: SqliteDatabase,
  signed: SignedConfig,
  { verified: { keys, config }, atMs }: { verified: VerifiedConfig; atMs: number },
): void {
  state.set(db, 'relay_keys', { value: { keys, envelope: signed.relayKeys }, atMs });
  state.set(db, 'site_config', { value: { config, envelope: signed.config }, atMs });
  const digest = createHash('sha256').update(signed.config, 'latin1').digest('hex');
  const { generation, issuedAtMs } = config;
  changes.append(db, {
    kind: 'config_applied',
    refId: String(generation),
    body: { generation, issuedAtMs, digest },
    atMs,
  });
  for (const agent of agents.list(db)) {
    const tier = config.agentTiers[agent.id] ?? config.agentTier;
    if (!agents.setTier(db, { id: agent.id, tier, atMs })) continue;
    const body = agents.toRow({ ...agent, tier });
    changes.append(db, { kind: 'agent_changed', refId: agent.id, body, atMs });
  }
}

/** Puts a newer configuration in force; false when it is not newer. Throws CONFIG_REFUSED and leaves the old one. */
export function applyConfig(ctx: ApplianceContext, signed: SignedConfig, owner: ConfigOwner): boolean {
  const { db, clock } = ctx;
  const verified = verifyConfig(signed, owner);
  const known = state.relayKeys(db);
  // An older signed key list would bring a withdrawn key back.
  if (known !== undefined && verified.keys.generation < known.generation) {
    throw applianceErrors.make('CONFIG_REFUSED', { detail: 'Its relay keys are older than the known ones' });
  }
  if (verified.config.generation <= (state.siteConfig(db)?.generation ?? -1)) return false;
  withTransaction(db, () => storeConfig(db, signed, { verified, atMs: clock.nowMs() }));
  ctx.log.info({ generation: verified.config.generation }, 'site configuration applied');
  ctx.signals.emit('config');
  ctx.signals.emit('change');
  return true;
}
