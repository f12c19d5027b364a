import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { agentHistoryQuery } from '../../api/queries/agents.ts';
import type { AgentHistory } from '../../api/types.ts';
import { Choice } from '../../components/choice.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Note } from '../../components/note.tsx';
import { Section } from '../../components/section.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { Tag } from '../../components/tag.tsx';
import css from './history.module.css';
import { CheckHistory } from './history-strip.tsx';
import { SPAN_STATUS } from './history-words.ts';

const WINDOWS = [
  { value: '7', word: '7 days' },
  { value: '30', word: '30 days' },
  { value: '90', word: '90 days' },
] as const;

/** How did each check go, and since when does it stand as it does? */
export function HistorySection({ siteId, agentId }: { siteId: string; agentId: string }) {
  const [days, setDays] = useState<(typeof WINDOWS)[number]['value']>('90');
  const history = useQuery(agentHistoryQuery(siteId, agentId, Number(days)));
  return (
    <Section
      id="history"
      title="History of each check"
      aside={<Choice label="How far back" choices={WINDOWS} value={days} onChange={setDays} />}
    >
      <Loaded query={history} what="The history" skeleton={<RowsSkeleton rows={6} height={52} />}>
        {(data) =>
          data.checks.length === 0 ? (
            <EmptyState small icon="clock" title="Nothing is known of this time">
              No check of this workstation had a result in it. The first one begins its history.
            </EmptyState>
          ) : (
            <Strips data={data} days={days} />
          )
        }
      </Loaded>
    </Section>
  );
}

function Strips({ data, days }: { data: AgentHistory; days: string }) {
  return (
    <div className={css.all}>
      <ul className={css.legend} aria-label="What the colours mean">
        {Object.entries(SPAN_STATUS).map(([status, sign]) => (
          <li key={status}>
            <span className={css.sample} data-status={status} />
            <Tag sign={sign} bare />
          </li>
        ))}
      </ul>
      {data.isCut && (
        <Note tone="info" title="The oldest changes are left out.">
          This workstation changed more often than is shown at once; what is left out shows as not known.
        </Note>
      )}
      {data.checks.map((timeline) => (
        <CheckHistory key={`${timeline.check}/${timeline.subject}`} timeline={timeline} />
      ))}
      <p className={`dim small ${css.ends}`}>
        <span>{days} days ago</span>
        <span>now</span>
      </p>
      <p className="dim small">
        A result holds until another one comes; a workstation that was off in between says nothing of that time. Changes
        are kept for 90 days, at the times the box named.
      </p>
    </div>
  );
}
