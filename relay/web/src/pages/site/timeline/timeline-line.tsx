import type { TimelineItem } from '../../../api/types.ts';
import { Actor } from '../../../components/actor.tsx';
import { EntryMark } from '../../../components/evidence-mark.tsx';
import { TimeAgo } from '../../../components/time-ago.tsx';
import { Icon } from '../../../icons/icon.tsx';
import { SEVERITY } from '../../../words/status.ts';
import { TIMELINE_ICON } from '../../../words/work.ts';
import { ProofButton } from '../evidence/proof-button.tsx';
import css from './timeline.module.css';

export function TimelineLine({ siteId, item }: { siteId: string; item: TimelineItem }) {
  const sign = item.severity ? SEVERITY[item.severity] : null;
  return (
    <li className={css.line}>
      <span
        className={css.icon}
        data-tone={sign?.tone ?? (item.kind === 'alarm' ? 'bad' : 'neutral')}
        title={item.kind}
      >
        <Icon name={TIMELINE_ICON[item.kind]} size={14} />
      </span>
      <div>
        <p>
          <span className="visually-hidden">{item.kind}: </span>
          {item.text}
          {sign && <span className="dim small"> {sign.word}</span>}
        </p>
        <p className="dim small">
          <TimeAgo atMs={item.atMs} />
          {item.actor && (
            <>
              {' '}
              <Actor actor={item.actor} />
            </>
          )}
          {item.entry && (
            <>
              {' '}
              <EntryMark {...item.entry} />
            </>
          )}
        </p>
        {item.kind === 'claim' && item.entry?.cosigned && <ProofButton siteId={siteId} seq={item.entry.seq} />}
      </div>
    </li>
  );
}
