import { hash } from 'node:crypto';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { type EvidencePredicate, PREDICATE_TYPE, STATEMENT_TYPE } from '@sitewarden/agent-proto/evidence';

/** Everything of an entry but its place in the log. */
export type EntryDraft = Omit<EvidencePredicate, 'seq' | 'prev'>;

/**
 * The canonical text of a draft in pieces, so that `seq` and `prev`, which exist only when its turn comes, are put between
 * them. RFC 8785 sorts members, and the members here are known: writing them in that order is the whole of it. Byte for
 * byte what canonicalBytes of agent-proto makes, a tenth of its time; a test holds the two together.
 */
export interface EntryPieces {
  readonly beforePrev: string;
  readonly betweenPrevAndSeq: string;
  readonly afterSeq: string;
}

const quote = JSON.stringify as (text: string) => string;
const nullable = (text: string | null): string => (text === null ? 'null' : quote(text));

function factsText(facts: Facts): string {
  const names = Object.keys(facts).sort();
  let text = '';
  for (const name of names) text += `${text === '' ? '' : ','}${quote(name)}:${JSON.stringify(facts[name])}`;
  return `{${text}}`;
}

/** `digest` is that of the canonical facts. */
export function snapshotOf(facts: Facts): { digest: string; facts: Facts } {
  return { digest: hash('sha256', factsText(facts), 'hex'), facts };
}

function snapshotText(snapshot: EntryDraft['before']): string {
  return snapshot === null ? 'null' : `{"digest":${quote(snapshot.digest)},"facts":${factsText(snapshot.facts)}}`;
}

function actionText(action: EntryDraft['action']): string {
  if (action === null) return 'null';
  return `{"name":${quote(action.name)},"params":${factsText(action.params)},"runId":${nullable(action.runId)}}`;
}

function ruleText(rule: EntryDraft['rule']): string {
  return rule === null ? 'null' : `{"digest":${quote(rule.digest)},"id":${quote(rule.id)},"version":${rule.version}}`;
}

export function piecesOf(draft: EntryDraft): EntryPieces {
  const { actor, target, outcome } = draft;
  return {
    beforePrev:
      `{"action":${actionText(draft.action)},"actor":{"id":${quote(actor.id)},"type":${quote(actor.type)}}` +
      `,"after":${snapshotText(draft.after)},"before":${snapshotText(draft.before)},"bootId":${quote(draft.bootId)}` +
      `,"controls":${JSON.stringify(draft.controls)},"incidentId":${nullable(draft.incidentId)}` +
      `,"kind":${quote(draft.kind)},"monotonicMs":${draft.monotonicMs},"orderId":${nullable(draft.orderId)}` +
      `,"outcome":{"code":${quote(outcome.code)},"text":${quote(outcome.text)}},"prev":"`,
    betweenPrevAndSeq: `","rule":${ruleText(draft.rule)},"seq":`,
    afterSeq:
      `,"target":{"agentId":${nullable(target.agentId)},"check":${nullable(target.check)},"host":${quote(target.host)}` +
      `,"subject":${quote(target.subject)}},"timeQuality":${quote(draft.timeQuality)},"wallTimeMs":${draft.wallTimeMs}}`,
  };
}

/** The canonical statement of the entry at `seq` of the log `origin`; `prev` is '' for entry 0. */
export function statementText(pieces: EntryPieces, place: { origin: string; seq: number; prev: string }): string {
  const { origin, seq, prev } = place;
  const predicate = pieces.beforePrev + prev + pieces.betweenPrevAndSeq + seq + pieces.afterSeq;
  return (
    `{"_type":"${STATEMENT_TYPE}","predicate":${predicate},"predicateType":"${PREDICATE_TYPE}","subject":` +
    `[{"digest":{"sha256":"${hash('sha256', predicate, 'hex')}"},"name":${quote(`${origin}#${seq}`)}}]}`
  );
}
