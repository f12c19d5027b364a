import type { EntryFault } from '@sitewarden/agent-proto/evidence';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import type { Tx } from '../store/index.ts';
import { type LogKey, recordFault } from '../store/repositories/evidence.ts';

/**
 * Faults that a later good batch at the same place takes back: the box sent something wrong once and the log itself is
 * whole. Others stay (STANDING_FAULTS) or are taken back by the witness.
 */
export const PASSING_FAULTS = [
  'EVIDENCE_FORMAT',
  'EVIDENCE_SIGNATURE',
  'EVIDENCE_SCHEMA',
  'EVIDENCE_SEQ',
  'EVIDENCE_PREV',
  'EVIDENCE_FOREIGN',
  'EVIDENCE_TRANSITION',
] as const satisfies readonly EntryFault[];

/** Evidence that is not believed. `seq` of the outbox row. */
export class EvidenceRefused extends Error {
  readonly code: EntryFault;
  readonly seq: number;

  constructor(code: EntryFault, seq: number, detail: string) {
    super(detail);
    this.code = code;
    this.seq = seq;
  }

  toCoded(): Error {
    return relayErrors.make(this.code, { detail: this.message, data: { seq: this.seq } });
  }
}

/** Keeps the fault where staff see it, and alarms them once. */
export async function noteFault(
  trx: Tx,
  key: LogKey & { siteId: string },
  fault: { code: string; message: string; atMs: number; detail?: Readonly<Record<string, string | number>> },
): Promise<void> {
  if (!(await recordFault(trx, key, fault))) return;
  await appendAudit(trx, {
    partnerId: key.partnerId,
    atMs: fault.atMs,
    actor: `appliance:${key.applianceId}`,
    action: 'evidence.refused',
    ref: key.siteId,
    detail: { code: fault.code, message: fault.message.slice(0, 1024), epoch: key.epoch, ...fault.detail },
  });
}
