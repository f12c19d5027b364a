import { Link } from 'react-router';
import type { ClaimSession } from '../../api/types.ts';
import { Actor } from '../../components/actor.tsx';
import { Note } from '../../components/note.tsx';
import { Tag } from '../../components/tag.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { CLAIM_STATE } from '../../words/work.ts';
import { ApproveForm } from './approve-form.tsx';
import css from './provisioning.module.css';

export function ClaimRow({ claim }: { claim: ClaimSession }) {
  const { role } = useSession();
  const waits = claim.state === 'claimed';
  const isLive = claim.progress.firstCheckin;
  return (
    <li className={css.row}>
      <div>
        <span className={css.name}>{claim.serial}</span>
        <span className="dim"> {claim.model}</span>
        <p className="dim small">
          {claim.siteId && claim.siteName ? (
            <>
              for <Link to={`/sites/${claim.siteId}`}>{claim.siteName}</Link>,{' '}
            </>
          ) : null}
          {claim.claimedBy && (
            <>
              claimed by <Actor actor={claim.claimedBy} />,{' '}
            </>
          )}
          started <TimeAgo atMs={claim.startedAtMs} />
          {claim.state === 'started' && (
            <>
              , runs out <TimeAgo atMs={claim.expiresAtMs} />
            </>
          )}
        </p>
      </div>
      <Tag sign={isLive ? { tone: 'ok', icon: 'signal', word: 'Live' } : CLAIM_STATE[claim.state]} />
      {claim.disputed && (
        <div className={css.wide}>
          <Note tone="bad" title="Disputed: a second box asked for the same claim.">
            Approval is blocked. Call the technician, find out which box is real, then reject this claim and scan again.
          </Note>
        </div>
      )}
      {claim.waitsBecause === 'other_facts' && (
        <div className={css.wide}>
          <Note tone="warn" title="This is not the box as it left its site.">
            It has the device key of a box that was to move here, but says another serial number or another key for
            secrets. It may be a copy: approve it only when somebody stands at the box and reads its number.
          </Note>
        </div>
      )}
      {waits &&
        (may(role, 'approve') ? (
          <div className={css.wide}>
            <ApproveForm claim={claim} />
          </div>
        ) : (
          <p className={`dim small ${css.wide}`}>An admin has to approve it with the number the box shows.</p>
        ))}
    </li>
  );
}
