import { EvidencePredicate } from '@sitewarden/agent-proto/evidence';
import { compile } from '@sitewarden/agent-proto/http';
import type { Logger } from '@sitewarden/kit/log';
import { lazily } from '../lib/lazily.ts';
import type { ChangeRow } from '../store/index.ts';
import { fitsEnvelope } from './chain.ts';
import { draftOf, type EntryMoment, unfitDraft, withoutFacts } from './draft.ts';
import { type EntryDraft, type EntryPieces, piecesOf } from './entry-text.ts';

export interface FittedEntry {
  readonly kind: EntryDraft['kind'];
  readonly pieces: EntryPieces;
}

/**
 * What a change says in the log, in a form that is sure to be signed: one change nobody can write would stop the log, and
 * everything behind it, for good. Too large: the digests of its facts stay and the facts go. Anything else that is wrong
 * with it: a loss entry says that it was there. Undefined for changes that are no evidence.
 */
export function createFitter({ keyId, log }: { keyId: string; log: Logger }) {
  const validator = lazily(() => compile(EvidencePredicate));

  return (change: ChangeRow, moment: EntryMoment, origin: string): FittedEntry | undefined => {
    function unfit(field: string, why: string): FittedEntry {
      log.error({ changeId: change.id, kind: change.kind, field }, 'a change does not fit into evidence');
      const draft = unfitDraft(change, moment, `${field} ${why}`);
      return { kind: draft.kind, pieces: piecesOf(draft) };
    }

    let draft: EntryDraft | undefined;
    try {
      draft = draftOf(change, moment);
    } catch {
      return unfit('body', 'cannot be read');
    }
    if (draft === undefined) return undefined;
    const valid = validator()({ ...draft, seq: 0, prev: '' });
    if (!valid.ok) return unfit(valid.field, valid.detail);
    for (const candidate of [() => draft, () => withoutFacts(draft)]) {
      const pieces = piecesOf(candidate());
      if (fitsEnvelope(keyId, origin, pieces)) return { kind: draft.kind, pieces };
      log.warn({ changeId: change.id, kind: change.kind }, 'a change is too large for an entry');
    }
    return unfit('body', 'is too large for an entry');
  };
}
