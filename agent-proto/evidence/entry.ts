import { hash } from 'node:crypto';
import type { Facts } from '../agent/index.ts';
import { canonicalBytes } from '../canonical/index.ts';
import { type EvidencePredicate, type EvidenceStatement, PREDICATE_TYPE, STATEMENT_TYPE } from './statement.ts';

/** The statement of one entry of the log `origin`. Sign its canonical bytes as a DSSE envelope. */
export function buildStatement(origin: string, predicate: EvidencePredicate): EvidenceStatement {
  return {
    _type: STATEMENT_TYPE,
    subject: [
      { name: `${origin}#${predicate.seq}`, digest: { sha256: hash('sha256', canonicalBytes(predicate), 'hex') } },
    ],
    predicateType: PREDICATE_TYPE,
    predicate,
  };
}

export const snapshotFacts = (facts: Facts): { digest: string; facts: Facts } => ({
  digest: hash('sha256', canonicalBytes(facts), 'hex'),
  facts,
});
