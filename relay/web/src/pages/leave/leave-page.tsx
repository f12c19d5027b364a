import { Button, Radio, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { keys } from '../../api/keys.ts';
import { orderRelease, removeBox, transferBox } from '../../api/queries/custody.ts';
import { siteQuery } from '../../api/queries/site.ts';
import type { SiteDetail } from '../../api/types.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorNote } from '../../components/error-note.tsx';
import { FactGrid } from '../../components/fact-grid.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Note } from '../../components/note.tsx';
import { Section } from '../../components/section.tsx';
import { SiteSelect } from '../../components/site-select.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import css from './leave.module.css';

/** How does the box of this site leave it? */
export function LeavePage() {
  usePageTitle('Release a box');
  const { siteId = '' } = useParams();
  const { role, name } = useSession();
  const site = useQuery(siteQuery(siteId));
  if (!may(role, 'order'))
    return (
      <Note tone="info" title={`${name} has the role ${role}, which does not release boxes.`}>
        Ask an admin of your MSP for the role operator or admin.
      </Note>
    );
  return (
    <Loaded query={site} what="The site" skeleton={<RowsSkeleton rows={4} height={80} />}>
      {(detail) => <Leave siteId={siteId} detail={detail} isAdmin={may(role, 'configure')} />}
    </Loaded>
  );
}

type Way = 'release' | 'move' | 'remove';
const VERBS: Record<Way, string> = { release: 'Release', move: 'Move', remove: 'Remove' };

function Leave({ siteId, detail, isAdmin }: { siteId: string; detail: SiteDetail; isAdmin: boolean }) {
  const { appliance, summary, asOfMs } = detail;
  const navigate = useNavigate();
  const client = useQueryClient();
  const [way, setWay] = useState<Way>('release');
  const [reason, setReason] = useState('');
  const [toSiteId, setToSiteId] = useState<string | null>(null);
  const isReady = reason.trim() !== '' && (way !== 'move' || toSiteId !== null);
  const go = useMutation({
    mutationFn: (applianceId: string) => {
      const wish = { applianceId, reason: reason.trim() };
      if (way === 'move' && toSiteId !== null) return transferBox(siteId, { ...wish, toSiteId });
      return way === 'remove' ? removeBox(siteId, wish) : orderRelease(siteId, wish);
    },
    onSuccess: async (next) => {
      client.setQueryData(keys.custody(siteId), next);
      await client.invalidateQueries({ queryKey: keys.site(siteId) });
      await navigate(`/sites/${siteId}/custody`);
    },
    onError: () => client.invalidateQueries({ queryKey: keys.site(siteId) }),
  });
  if (appliance === null)
    return (
      <EmptyState icon="box" title="This site has no box" action={<Link to={`/sites/${siteId}`}>Go to the site</Link>}>
        It left already, or none was ever claimed for it.
      </EmptyState>
    );
  return (
    <div className={css.page}>
      <header>
        <p className="small">
          <Link to={`/sites/${siteId}`}>{summary.name}</Link> <span className="dim">/ {summary.clientName}</span>
        </p>
        <h1>Release the box of this site</h1>
      </header>
      <Section id="box" title="Which box" aside={<StatusBadge status={summary.status} asOfMs={asOfMs} />}>
        <FactGrid
          rows={[
            { name: 'Serial', value: appliance.serial },
            { name: 'Model', value: appliance.model },
            { name: 'Claimed', value: <TimeAgo atMs={appliance.claimedAtMs} /> },
            {
              name: 'Last check-in',
              value: appliance.lastCheckinAtMs === null ? 'never' : <TimeAgo atMs={appliance.lastCheckinAtMs} />,
            },
          ]}
        />
      </Section>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) go.mutate(appliance.id);
        }}
      >
        <Radio.Group label="How it leaves" value={way} onChange={(value) => setWay(value as Way)}>
          <div className={css.ways}>
            <Radio
              value="release"
              label="Release: the box is here and works"
              description="It tells its agents, closes its log, forgets the site and can be claimed again."
            />
            <Radio
              value="move"
              disabled={!isAdmin}
              label="Move: the box goes to another site of yours"
              description={
                isAdmin
                  ? 'The same, and then it belongs to the site you choose. Nobody has to claim it there.'
                  : 'Only an admin may do this.'
              }
            />
            <Radio
              value="remove"
              disabled={!isAdmin}
              label="Remove: the box is lost, broken or stolen"
              description={
                isAdmin
                  ? 'At once and without its word. If it ever comes back, it is told why and gets nothing.'
                  : 'Only an admin may do this.'
              }
            />
          </div>
        </Radio.Group>
        {way === 'move' && (
          <SiteSelect
            label="To which site"
            siteId={toSiteId}
            onChange={setToSiteId}
            except={siteId}
            missing="No site named like this. Make it under Provisioning."
          />
        )}
        <TextInput
          label="Reason"
          description="Stands on the receipt both sides keep"
          value={reason}
          maxLength={200}
          required
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <WhatFollows way={way} agents={summary.agents.total} isOnline={summary.status.value === 'online'} />
        <div className={css.end}>
          <Button type="submit" loading={go.isPending} disabled={!isReady}>
            {`${VERBS[way]} box ${appliance.serial}`}
          </Button>
          <Button component={Link} to={`/sites/${siteId}`} variant="default">
            Cancel
          </Button>
        </div>
        {go.isError && <ErrorNote what="The box was not released" error={go.error} />}
      </form>
    </div>
  );
}

function WhatFollows({ way, agents, isOnline }: { way: Way; agents: number; isOnline: boolean }) {
  if (way === 'remove')
    return (
      <Note tone="bad" title="This cannot be undone.">
        The key of the box is refused from now on. Its log ends at the last entry the relay cosigned; what the box did
        not send yet is lost with it.
      </Note>
    );
  return (
    <Note tone="warn" title="It can be taken back until the box has it.">
      <p>
        {isOnline
          ? 'That is its next check-in, within a minute.'
          : 'The box is not there now: it hears of it when it is back, however late that is.'}{' '}
        {way === 'move'
          ? 'After that it goes there; from there it can be moved back.'
          : 'After that there is no way back but claiming it again.'}
      </p>
      {agents > 0 && <p>{agents} workstations lose this box and have to be enrolled with the next one.</p>}
    </Note>
  );
}
