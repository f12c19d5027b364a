import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { isApiError } from '../../api/api-error.ts';
import { claimSessionQuery, lookupQuery } from '../../api/queries/claim.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import type { ScannedClaim } from '../../session/scanned-claim.ts';
import css from './claim.module.css';
import { ClaimEnd } from './claim-end.tsx';
import { ClaimForm } from './claim-form.tsx';
import { ClaimProgress } from './claim-progress.tsx';

interface FoundBoxProps {
  claim: ScannedClaim;
  onDrop: () => void;
}

/** Looks the scanned box up, then follows its claim to the end. */
export function FoundBox({ claim, onDrop }: FoundBoxProps) {
  const lookup = useQuery(lookupQuery(claim));
  const found = lookup.data;
  const isClaimed = found !== undefined && found.state !== 'started';
  const session = useQuery({ ...claimSessionQuery(found?.session ?? ''), enabled: isClaimed });
  const now = session.data ?? found;
  const failure = session.error ?? lookup.error;
  if (!now)
    return lookup.error ? (
      <>
        <ErrorNote
          what={whyNotFound(lookup.error)}
          error={lookup.error}
          onRetry={isApiError(lookup.error, 'SESSION_UNKNOWN') ? undefined : () => void lookup.refetch()}
        />
        <Button variant="default" onClick={onDrop}>
          Start over
        </Button>
      </>
    ) : (
      <div aria-busy="true" className={css.part}>
        <p role="status">Looking for the box</p>
        <RowsSkeleton rows={3} height={56} />
      </div>
    );
  return (
    <>
      {failure && <ErrorNote what="The claim could not be followed" error={failure} />}
      {now.state === 'rejected' || now.state === 'expired' ? (
        <ClaimEnd state={now.state} siteName={now.siteName} onDrop={onDrop} />
      ) : now.state === 'started' ? (
        <ClaimForm claim={claim} session={now} />
      ) : (
        <ClaimProgress session={now} onDrop={onDrop} />
      )}
    </>
  );
}

function whyNotFound(error: unknown): string {
  if (isApiError(error, 'SESSION_UNKNOWN')) return 'No box waits for this code any more';
  if (isApiError(error, 'RATE_LIMITED')) return 'Too many codes were looked up from here';
  return 'The box could not be looked up';
}
