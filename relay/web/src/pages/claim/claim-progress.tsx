import { Button } from '@mantine/core';
import { Link } from 'react-router';
import type { ClaimSession } from '../../api/types.ts';
import { plural } from '../../clock/format.ts';
import { Note } from '../../components/note.tsx';
import { Progress, type ProgressStep } from '../../components/progress.tsx';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { BoxWay } from './box-way.tsx';
import css from './claim.module.css';

/** From the claim to a box that is live, each step with what to do when it takes long. */
export function ClaimProgress({ session, onDrop }: { session: ClaimSession; onDrop: () => void }) {
  const { role } = useSession();
  const { progress, siteId } = session;
  const site = session.siteName ?? 'the site';
  return (
    <section className={css.part} aria-labelledby="progress-title">
      <h2 id="progress-title">
        {session.serial} for {site}
      </h2>
      {session.disputed && (
        <Note tone="bad" role="alert" title="A second box presented the same code.">
          The approval is blocked until staff have looked at it. Stay at the site and call your MSP.
        </Note>
      )}
      <Progress label="Progress of the claim" steps={steps(session)} />
      {!progress.acknowledged && <BoxWay doctor={session.doctor} />}
      {progress.firstCheckin && (
        <Note tone="ok" role="status" title="The box is live.">
          {site} is watched from now on. You can leave the site.
        </Note>
      )}
      {progress.firstCheckin && siteId && may(role, 'viewSites') && (
        <Button component={Link} to={`/sites/${siteId}`} size="md">
          Open {site}
        </Button>
      )}
      {progress.acknowledged && (
        <Button variant="default" size="md" onClick={onDrop}>
          Claim another box
        </Button>
      )}
    </section>
  );
}

function steps({ progress, number, claimedBy }: ClaimSession): ProgressStep[] {
  return [
    { name: 'Claimed', isDone: progress.claimed, note: claimedBy ? `by ${claimedBy}` : null },
    {
      name: 'Approved',
      isDone: progress.approved,
      note: progress.approved
        ? null
        : `An admin approves it under Provisioning and needs the number ${number ? `${number.slice(0, 4)} ${number.slice(4)}` : 'on the box'} from you.`,
    },
    {
      name: 'Config on the box',
      isDone: progress.acknowledged,
      note: progress.acknowledged
        ? null
        : 'The box fetches its config, a few seconds. Longer than a minute? The screen of the box says what it cannot reach.',
    },
    {
      name: 'First check-in',
      isDone: progress.firstCheckin,
      note: progress.firstCheckin ? null : 'Comes within a minute of the config.',
    },
    {
      name: 'Workstation agents',
      isDone: progress.agents > 0,
      note:
        progress.agents > 0
          ? `${plural(progress.agents, 'agent')} reported.`
          : 'None has reported yet. Agents can be enrolled at any time; the box does not wait for them.',
    },
  ];
}
