import { formatDuration, plural } from './duration.ts';

export type EvidenceMark = 'none' | 'cosigned' | 'pending' | 'broken';

export interface EvidenceFacts {
  epoch: number;
  receivedSize: number;
  cosignedSize: number;
  cosignedRoot: string;
  cosignedAtMs: number | null;
  fault: { code: string; message: string; atMs: number } | null;
}

/** What the relay can say about a box's log, in the shape of the API. */
export interface EvidenceState {
  mark: EvidenceMark;
  reason: string;
  epoch: number;
  receivedSize: number;
  cosignedSize: number;
  /** Hex; null before the first cosignature. */
  rootHash: string | null;
  lastCosignedAtMs: number | null;
  lastFault: { code: string; message: string; atMs: number } | null;
}

/** `facts` null: no log is known, because no box was claimed. */
export function evidenceState(facts: EvidenceFacts | null, nowMs: number): EvidenceState {
  const { mark, reason } = judge(facts, nowMs);
  return {
    mark,
    reason,
    epoch: facts?.epoch ?? 0,
    receivedSize: facts?.receivedSize ?? 0,
    cosignedSize: facts?.cosignedSize ?? 0,
    rootHash: facts && facts.cosignedAtMs !== null ? facts.cosignedRoot : null,
    lastCosignedAtMs: facts?.cosignedAtMs ?? null,
    lastFault: facts?.fault ?? null,
  };
}

function judge(facts: EvidenceFacts | null, nowMs: number): { mark: EvidenceMark; reason: string } {
  if (facts?.fault) {
    const { code, message } = facts.fault;
    return { mark: 'broken', reason: `broken: the relay refused evidence (${code}). ${message}`.slice(0, 1024) };
  }
  if (!facts || (facts.receivedSize === 0 && facts.cosignedSize === 0)) {
    return { mark: 'none', reason: 'none: no evidence was received yet' };
  }
  const waiting = facts.receivedSize - facts.cosignedSize;
  const last = facts.cosignedAtMs === null ? 'never cosigned' : `last cosigned ${ago(facts.cosignedAtMs, nowMs)}`;
  if (waiting > 0) {
    return { mark: 'pending', reason: `pending: ${plural(waiting, 'entry', 'entries')} not cosigned yet, ${last}` };
  }
  if (waiting < 0) {
    const behind = plural(-waiting, 'cosigned entry', 'cosigned entries');
    return { mark: 'pending', reason: `pending: ${behind} not received yet, ${last}` };
  }
  return { mark: 'cosigned', reason: `cosigned: all ${plural(facts.cosignedSize, 'entry', 'entries')}, ${last}` };
}

const ago = (atMs: number, nowMs: number): string => `${formatDuration(Math.max(0, nowMs - atMs))} ago`;
