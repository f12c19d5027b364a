import { Button, NativeSelect } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { evidenceQuery } from '../../../api/queries/site.ts';
import type { EvidenceList } from '../../../api/types.ts';
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
  const [logId, setLogId] = useState<string | null>(null);
  const log = useInfiniteQuery(evidenceQuery(siteId, logId));
  const state = log.data?.pages[0]?.state;
  return (
    <Section id="evidence" title="Evidence" aside={state && <EvidenceMark state={state} />}>
      <Loaded query={log} what="The evidence" skeleton={<RowsSkeleton rows={4} />}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.entries);
          return (
            <>
              <LogChoice logs={pages[0]?.logs ?? []} logId={logId} onChange={setLogId} />
              {pages[0] && <LogState state={pages[0].state} />}
              {entries.length === 0 ? (
                <EmptyState small icon="shieldOpen" title="No entry was received yet">
                  The claim of a box is entry 0; it comes with the box’s first check-ins.
                </EmptyState>
              ) : (
                <ul className={css.entries}>
                  {entries.map((entry) => (
                    <EvidenceEntryRow key={entry.seq} siteId={siteId} entry={entry} log={logId} />
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

interface LogChoiceProps {
  logs: EvidenceList['logs'];
  logId: string | null;
  onChange: (logId: string | null) => void;
}

/** Boxes that left and epochs that ended have logs too; with one log there is nothing to choose. */
function LogChoice({ logs, logId, onChange }: LogChoiceProps) {
  const before = logs.filter(({ isCurrent }) => !isCurrent);
  if (before.length === 0) return null;
  return (
    <NativeSelect
      label="Log"
      size="xs"
      value={logId ?? ''}
      onChange={(event) => onChange(event.currentTarget.value || null)}
      data={[
        { value: '', label: before.length === logs.length ? 'No box is here now' : 'Of the box here now' },
        ...before.map(({ id, serial, epoch, cosignedSize }) => ({
          value: id,
          label: `Ended: box ${serial}, epoch ${epoch}, ${formatCount(cosignedSize)} entries`,
        })),
      ]}
    />
  );
}
