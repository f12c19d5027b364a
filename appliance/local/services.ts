import type { TierNumber } from '@sitewarden/agent-proto/checks';
import type { Lane } from '@sitewarden/agent-proto/http';
import type { DoctorLine } from '../doctor/index.ts';
import type { Installers } from '../installers/index.ts';

/** What the local page asks of the features beside it. All snapshots are cheap, synchronous and hold no secret. */
export interface LocalServices {
  readonly identity: LocalIdentity;
  readonly claim: {
    snapshot(): ClaimSnapshot;
    /**
     * `text` is what a person typed or scanned: the typed form (with or without spaces and hyphens, any case) or a whole
     * code URL. Resolves once the relay has answered. Rejects with a coded error whose message says the next step.
     */
    claimWithCode(text: string): Promise<ClaimSnapshot>;
  };
  readonly keys: {
    /** Replaces a key by a new one; every part begins anew with it shortly after the answer. */
    rotate(key: 'dik' | 'evk'): Promise<object>;
  };
  readonly secrets: {
    list(): readonly { readonly name: string; readonly setAtMs: number; readonly isForThisBox: boolean }[];
    /** Opens one for the time of `work`; the value must not leave it. */
    use<T>(name: string, work: (value: string) => T): Promise<T>;
  };
  readonly uplink: { snapshot(): UplinkSnapshot };
  readonly wake: { snapshot(): WakeSnapshot };
  readonly outbox: {
    snapshot(): Readonly<Record<Lane, LaneSnapshot>>;
    /** What stands still, and why. */
    faults(): Readonly<Partial<Record<Lane | 'checkpoint', LaneFaultSnapshot>>>;
  };
  readonly evidence: { snapshot(): EvidenceSnapshot };
  readonly discovery: { snapshot(): DiscoverySnapshot };
  readonly installers: Pick<Installers, 'read' | 'openFile'>;
  readonly agents: {
    /** Active ones, by hostname. */
    list(): readonly AgentInfo[];
    createEnrollToken(): EnrollToken;
    /** Revokes its certificates and closes its session. Throws a coded error (404) for an unknown id. */
    removeAgent(id: string): void | Promise<void>;
  };
}

export interface LocalIdentity {
  readonly serial: string;
  readonly model: string;
  readonly version: string;
  /** Of the public device key, base64url SHA-256. */
  readonly fingerprint: string;
  /** tpm: the private keys are of no use without the TPM of this machine. */
  readonly keyStorage: 'plain' | 'tpm';
}

export const CLAIM_PHASES = [
  'no_relay', // no session yet, or the relay is not reachable: see `error`
  'showing', // the QR code is valid until `expiresAtMs`
  'claimed', // somebody took the box to a site; staff must approve
  'approved', // the grant is being fetched and put on disk
  'rejected', // staff said no; a new session follows
  'done', // the box belongs to `site`
] as const;
export type ClaimPhase = (typeof CLAIM_PHASES)[number];

export interface ClaimSnapshot {
  readonly phase: ClaimPhase;
  /** What the QR code says; only while `showing`. */
  readonly claimUrl: string | null;
  /** 8 digits, to be compared with the phone; from `showing` to `approved`. */
  readonly number: string | null;
  readonly expiresAtMs: number | null;
  readonly error: SnapshotError | null;
  /** Only when `done`. */
  readonly site: ClaimedSite | null;
  /** The last run of the claim doctor, in the order of the checks; empty when it has not run. */
  readonly doctor: readonly DoctorLine[];
  /** The site this box was released from, while it has no other. */
  readonly left?: {
    readonly siteName: string;
    readonly by: string;
    readonly reason: string;
    readonly atMs: number;
    /** The site it moves to; null: it belongs to nobody. */
    readonly movesTo?: string | null;
  } | null;
}

export interface ClaimedSite {
  readonly applianceId: string;
  readonly siteId: string;
  readonly siteName: string;
  readonly partnerName: string;
  readonly epoch: number;
  readonly claimedBy: string;
  readonly claimedAtMs: number;
}

export interface LaneFaultSnapshot extends SnapshotError {
  /** Waits for a person: the relay will not take it as it is. */
  readonly isPermanent: boolean;
}

export interface SnapshotError {
  readonly code: string;
  /** Ends with the next step. */
  readonly message: string;
  readonly atMs: number;
}

export const UPLINK_STATES = [
  'idle', // not claimed: nothing to check in for
  'ok', // the last check-in was answered
  'retrying', // the last one was not; see `lastError`
  'stopped', // the relay refused this box (401, 403); the box goes on serving its site
] as const;
export type UplinkState = (typeof UPLINK_STATES)[number];

export interface UplinkSnapshot {
  readonly state: UplinkState;
  /** Origin, without credentials. */
  readonly relay: string;
  readonly lastCheckinAtMs: number | null;
  readonly nextCheckinAtMs: number | null;
  readonly lastError: SnapshotError | null;
  readonly configGeneration: number;
  /** The relay saw two boxes with this identity. */
  readonly isQuarantined: boolean;
  /** Since when the box does not know its last check-in token, which makes the relay see a copy; null: it knows it. */
  readonly chainLostAtMs: number | null;
  /** How far the relay's time is ahead of a clock that NTP keeps; null when they agree or nobody can tell. */
  readonly relayAheadMs: number | null;
}

export const WAKE_STATES = [
  'off', // by the configuration: orders come with check-ins
  'waiting', // for a good check-in, or for the next try
  'connected', // orders reach the box at once
  'refused', // until the next good check-in
] as const;

export interface WakeSnapshot {
  readonly state: (typeof WAKE_STATES)[number];
  readonly sinceMs: number | null;
  /** Why the last connection ended; null while there is one. */
  readonly code: string | null;
}

export interface LaneSnapshot {
  readonly depth: number;
  /** 0 when empty. */
  readonly oldestAgeMs: number;
}

export interface EvidenceSnapshot {
  readonly epoch: number;
  readonly size: number;
  readonly cosignedSize: number;
  readonly lastEntryAtMs: number | null;
  /** Changes that are not entries yet. */
  readonly waiting: number;
  /** Signed entries are gone, and no new one is written until the box is reset and claimed again. */
  readonly isHalted: boolean;
}

export interface DiscoverySnapshot {
  readonly isEnabled: boolean;
  /** Networks looked at now, like 192.168.7.0/24. */
  readonly networks: readonly string[];
  /** The interfaces the configuration names; undefined: all with a private address. */
  readonly interfaces: readonly string[] | undefined;
}

export interface AgentInfo {
  readonly id: string;
  readonly hostname: string;
  readonly osFamily: string;
  readonly osVersion: string;
  readonly agentVersion: string;
  readonly tier: TierNumber;
  readonly connected: boolean;
  readonly enrolledAtMs: number;
  readonly lastHeartbeatAtMs: number | null;
}

export interface EnrollToken {
  /** Single use; shown once, never logged. */
  readonly token: string;
  readonly expiresAtMs: number;
  /** SHA-256 of the site CA's DER certificate, hex: what the agent pins before it sends the token. */
  readonly siteCaSha256: string;
}
