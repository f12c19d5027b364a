import { useQuery } from '@tanstack/react-query';
import { timelineQuery } from '../../../api/queries/site.ts';
import type { TimelineItem } from '../../../api/types.ts';
import { EmptyState } from '../../../components/empty-state.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { ShortList } from '../../../components/short-list.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import css from './timeline.module.css';
import { TimelineLine } from './timeline-line.tsx';

const keyOf = (item: TimelineItem) => `${item.atMs}/${item.kind}/${item.ref}/${item.text}`;

/** What happened here, newest first. The claim is where the history begins, so its line always stands at the end. */
export function TimelineSection({ siteId }: { siteId: string }) {
  const timeline = useQuery(timelineQuery(siteId));
  return (
    <Section id="timeline" title="Timeline">
      <Loaded query={timeline} what="The timeline" skeleton={<RowsSkeleton rows={5} height={34} />}>
        {({ items }) => {
          if (items.length === 0)
            return (
              <EmptyState small icon="list" title="Nothing happened yet">
                The history begins when a box is claimed for this site.
              </EmptyState>
            );
          const last = items.at(-1);
          const begin = last?.kind === 'claim' ? last : undefined;
          const rest = begin ? items.slice(0, -1) : items;
          return (
            <>
              <ShortList items={rest} shown={12} noun="event">
                {(shown) => (
                  <ul className={css.list}>
                    {shown.map((item) => (
                      <TimelineLine key={keyOf(item)} siteId={siteId} item={item} />
                    ))}
                  </ul>
                )}
              </ShortList>
              {begin && (
                <ul className={css.begin} aria-label="Where the history begins">
                  <TimelineLine siteId={siteId} item={begin} />
                </ul>
              )}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
