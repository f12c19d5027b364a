import type { EvidenceEntry } from '../../../api/types.ts';
import { Actor } from '../../../components/actor.tsx';
import { EntryMark } from '../../../components/evidence-mark.tsx';
import { TimeAgo } from '../../../components/time-ago.tsx';
import { entryWords } from '../../../words/work.ts';
import css from './evidence.module.css';
import { ProofButton } from './proof-button.tsx';

export function EvidenceEntryRow({ siteId, entry, log }: { siteId: string; entry: EvidenceEntry; log: string | null }) {
  const { kind, outcome } = entryWords(entry);
  return (
    <li className={css.entry}>
      <div className={css.words}>
        <p>
          <span className={css.kind}>{kind}</span> {outcome && <span className="dim small">{outcome}</span>}
        </p>
        {entry.text && <p className="small">{entry.text}</p>}
        <p className="dim small">
          <Actor actor={entry.actor} />, <TimeAgo atMs={entry.wallTimeMs} />
        </p>
      </div>
      <div className={css.proof}>
        <EntryMark seq={entry.seq} cosigned={entry.cosigned} />
        {entry.cosigned && <ProofButton siteId={siteId} seq={entry.seq} log={log} />}
      </div>
    </li>
  );
}
