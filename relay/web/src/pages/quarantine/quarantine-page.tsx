import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { quarantineQuery } from '../../api/queries/custody.ts';
import { siteQuery } from '../../api/queries/site.ts';
import type { Quarantine } from '../../api/types.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Note } from '../../components/note.tsx';
import { RearmNote } from '../../components/rearm-note.tsx';
import { Section } from '../../components/section.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { Decide } from './decide.tsx';
import { MachineTable } from './machine-table.tsx';
import css from './quarantine.module.css';

/** Which two machines use this identity, and which one is the real one? */
export function QuarantinePage() {
  usePageTitle('Quarantine');
  const { siteId = '' } = useParams();
  const site = useQuery(siteQuery(siteId));
  const quarantine = useQuery(quarantineQuery(siteId));
  return (
    <div className={css.page}>
      <header>
        <p className="small">
          <Link to={`/sites/${siteId}`}>{site.data?.summary.name ?? 'The site'}</Link>
        </p>
        <h1>Two boxes, one identity</h1>
      </header>
      <Loaded query={quarantine} what="The quarantine" skeleton={<RowsSkeleton rows={4} height={80} />}>
        {(data) =>
          data.isQuarantined && data.applianceId !== null ? (
            <Body siteId={siteId} applianceId={data.applianceId} data={data} />
          ) : (
            <EmptyState
              icon="check"
              title="The box of this site is not in quarantine"
              action={<Link to={`/sites/${siteId}`}>Go to the site</Link>}
            >
              Nothing has to be decided. When a second machine uses its identity, both are shown here.
            </EmptyState>
          )
        }
      </Loaded>
    </div>
  );
}

function Body({ siteId, applianceId, data }: { siteId: string; applianceId: string; data: Quarantine }) {
  const { role } = useSession();
  return (
    <>
      <Note tone="bad" role="status" title="Both get no orders, and no new evidence is taken from either.">
        {data.sinceMs !== null && (
          <p>
            Since <TimeAgo atMs={data.sinceMs} />: two machines went on from the same check-in. The site itself is still
            served.
          </p>
        )}
      </Note>
      {data.machines.some(({ hasLostChain }) => hasLostChain) && (
        <Note tone="warn" title="It may be one box after all.">
          A machine below says that its place in the chain of check-ins was damaged on disk or is gone, which looks the
          same from here. Where nobody can have copied it, name it genuine, and have its disk looked at.
        </Note>
      )}
      <RearmNote siteId={siteId} />
      <Section id="machines" title="The machines">
        <MachineTable data={data} />
      </Section>
      <Section id="decide" title="What to do">
        {may(role, 'configure') ? (
          <Decide siteId={siteId} applianceId={applianceId} machines={data.machines} />
        ) : (
          <p className="dim">An admin decides which machine is genuine. Find the copy and take it off the network.</p>
        )}
      </Section>
    </>
  );
}
