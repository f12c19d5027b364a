import type { RelayKeys, SiteConfig } from '@sitewarden/agent-proto/http';

/** The grant as it was put on disk, without its envelopes. */
export interface ClaimedSiteState {
  readonly applianceId: string;
  readonly siteId: string;
  readonly siteName: string;
  readonly partnerName: string;
  readonly epoch: number;
  readonly claimedBy: string;
  readonly claimedAtMs: number;
  readonly codeId: string;
  /** Host of the relay as its signed keys name it; part of the log's origin. */
  readonly relayHost: string;
}

/** A claim under way. `boxNonce` and `claimUrl` are secrets: never logged, gone with the claim. */
export interface ClaimSession {
  readonly session: string;
  readonly boxNonce: string;
  readonly relayNonce: string;
  readonly number: string;
  /** Null when the box sent a code instead of showing one. */
  readonly claimUrl: string | null;
  readonly expiresAtMs: number;
}

export type ClaimState =
  /** `codeNonce`: of a code that was presented; a secret like the others. */
  | { readonly phase: 'unclaimed'; readonly codeNonce: string | null }
  | { readonly phase: 'session'; readonly session: ClaimSession; readonly codeNonce: string | null }
  /** On disk here, not yet acknowledged to the relay. */
  | { readonly phase: 'granted'; readonly session: string; readonly site: ClaimedSiteState }
  | { readonly phase: 'claimed'; readonly site: ClaimedSiteState };

export interface SiteConfigState {
  readonly config: SiteConfig;
  readonly envelope: string;
}

export interface RelayKeysState {
  readonly keys: RelayKeys;
  readonly envelope: string;
}

/**
 * The last change of the evidence key. said: the change waits for its entry. entered: its entry is in the log, and what
 * follows is signed by `newKey`.
 */
export interface EvkTurnState {
  readonly phase: 'said' | 'entered';
  /** Raw, base64url. */
  readonly newKey: string;
}

/** The relay has answered a check-in of this appliance and epoch: from then on a chain that is not there is lost. */
export interface CheckinHeardState {
  readonly applianceId: string;
  readonly epoch: number;
}

/** What a box whose hardware names no serial number derived from its first device key; it keeps it. */
export interface KeptSerialState {
  readonly serial: string;
}
