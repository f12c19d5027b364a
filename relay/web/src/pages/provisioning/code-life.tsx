import type { ReactNode } from 'react';
import type { Code } from '../../api/types.ts';
import { Actor } from '../../components/actor.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { Icon } from '../../icons/icon.tsx';
import type { IconName } from '../../icons/paths.ts';
import css from './code-life.module.css';

interface Step {
  icon: IconName;
  text: ReactNode;
  /** null: the relay keeps no time of it. */
  atMs: number | null;
}

/** What has happened to a code, in order, and what will when nothing does. */
function stepsOf(code: Code): Step[] {
  const { scannedAtMs, serial, claimedAtMs, approvedBy, approvedAtMs, usedAtMs } = code;
  const steps: Step[] = [{ icon: 'key', text: madeBy(code), atMs: code.createdAtMs }];
  if (scannedAtMs !== null) steps.push({ icon: 'phone', text: 'Opened on a phone', atMs: scannedAtMs });
  if (claimedAtMs !== null) steps.push({ icon: 'box', text: `Brought by the box ${serial}`, atMs: claimedAtMs });
  if (approvedAtMs !== null) steps.push({ icon: 'person', text: approval(code, approvedBy), atMs: approvedAtMs });
  if (usedAtMs !== null) steps.push({ icon: 'check', text: 'Config is on the box', atMs: usedAtMs });
  const end = endOf(code);
  return end === null ? steps : [...steps, end];
}

function endOf({ state, revokedAtMs, expiresAtMs, claimedAtMs }: Code): Step | null {
  switch (state) {
    case 'created':
    case 'scanned':
      return { icon: 'clock', text: 'Runs out', atMs: expiresAtMs };
    case 'expired':
      return claimedAtMs === null
        ? { icon: 'clock', text: 'Ran out', atMs: expiresAtMs }
        : { icon: 'clock', text: 'Nobody approved it in time', atMs: null };
    case 'revoked':
      return { icon: 'ban', text: 'Revoked', atMs: revokedAtMs };
    case 'rejected':
      return { icon: 'ban', text: 'The claim was rejected', atMs: null };
    default:
      return null;
  }
}

const madeBy = ({ createdBy }: Code) => (
  <>
    Made by <Actor actor={createdBy} />
  </>
);

const approval = ({ preApproved }: Code, by: string | null) => (
  <>
    {preApproved ? 'Pre-approved' : 'Approved'}
    {by !== null && (
      <>
        {' '}
        by <Actor actor={by} />
      </>
    )}
  </>
);

export function CodeLife({ code }: { code: Code }) {
  return (
    <ol className={css.life} aria-label={`Life of the code for ${code.siteName}`}>
      {stepsOf(code).map(({ icon, text, atMs }) => (
        <li key={icon}>
          <Icon name={icon} size={13} />
          <span>
            {text}
            {atMs !== null && (
              <>
                {' '}
                <TimeAgo atMs={atMs} />
              </>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
