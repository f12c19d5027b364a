import type { TimelineItem } from '../../../api/types';
import { Actor } from '../../../components/actor';
import { TimeAgo } from '../../../components/time-ago';
import { Icon } from '../../../icons/icon';
import { SEVERITY } from '../../../words/status';
import { TIMELINE_ICON } from '../../../words/work';
import css from './timeline.module.css';

export function TimelineLine({ item }: { item: TimelineItem }) {
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
        </p>
      </div>
    </li>
  );
}
