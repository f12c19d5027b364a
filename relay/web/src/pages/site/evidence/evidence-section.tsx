import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { evidenceQuery } from '../../../api/queries/site.ts';
import { formatCount } from '../../../clock/format.ts';
import { EmptyState } from '../../../components/empty-state.tsx';
import { EvidenceMark } from '../../../components/evidence-mark.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import css from './evidence.module.css';
import { EvidenceEntryRow } from './evidence-entry.tsx';
import { LogState } from './log-state.tsx';

/** Can we prove it? */
export function EvidenceSection({ siteId }: { siteId: string }) {
  const log = useInfiniteQuery(evidenceQuery(siteId));
  const state = log.data?.pages[0]?.state;
  return (
    <Section id="evidence" title="Evidence" aside={state && <EvidenceMark state={state} />}>
      <Loaded query={log} what="The evidence" skeleton={<RowsSkeleton rows={4} />}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.entries);
          return (
            <>
              {pages[0] && <LogState state={pages[0].state} />}
              {entries.length === 0 ? (
                <EmptyState small icon="shieldOpen" title="No entry was received yet">
                  The claim of a box is entry 0; it comes with the box’s first check-ins.
                </EmptyState>
              ) : (
                <ul className={css.entries}>
                  {entries.map((entry) => (
                    <EvidenceEntryRow key={entry.seq} siteId={siteId} entry={entry} />
                  ))}
                </ul>
              )}
              {log.hasNextPage && (
                <p className={css.more}>
                  <span className="dim small">
                    {formatCount(entries.length)} of {formatCount(pages[0]?.state.receivedSize ?? 0)} entries, newest
                    first
                  </span>
                  <Button
                    size="xs"
                    variant="default"
                    loading={log.isFetchingNextPage}
                    onClick={() => void log.fetchNextPage()}
                  >
                    Show older
                  </Button>
                </p>
              )}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
