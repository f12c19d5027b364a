import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '../../api/keys.ts';
import { approveClaim, rejectClaim } from '../../api/queries/provisioning.ts';
import type { ClaimSession } from '../../api/types.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { ReplacesBox } from '../../components/replaces-box.tsx';
import { digitsOf, isWholeNumber, ShownNumber } from '../../components/shown-number.tsx';
import css from './provisioning.module.css';

/**
 * The admin types the number as the technician reads it from the box. It is not shown here: a number that can be copied
 * from the screen proves nothing about the box.
 */
export function ApproveForm({ claim }: { claim: ClaimSession }) {
  const client = useQueryClient();
  const [number, setNumber] = useState('');
  const [agreed, setAgreed] = useState<string | null>(null);
  const { replaces } = claim;
  const isAgreed = replaces === null || replaces.applianceId === agreed;
  const onSuccess = () =>
    Promise.all([keys.claimSessions, keys.sites].map((queryKey) => client.invalidateQueries({ queryKey })));
  const approve = useMutation({
    mutationFn: () =>
      approveClaim(claim.session, { number: digitsOf(number), ...(replaces && { replaces: replaces.applianceId }) }),
    onSuccess,
    // What it replaces may be another box by now; the list says which.
    onError: () => client.invalidateQueries({ queryKey: keys.claimSessions }),
  });
  const reject = useMutation({ mutationFn: () => rejectClaim(claim.session), onSuccess });
  const isBusy = approve.isPending || reject.isPending;
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (isWholeNumber(number) && isAgreed) approve.mutate();
      }}
    >
      {replaces && !claim.disputed && (
        <ReplacesBox
          box={replaces}
          siteName={claim.siteName ?? 'The site'}
          agreed={agreed}
          onAgree={setAgreed}
          when="With the approval"
        />
      )}
      <div className={css.inline}>
        <ShownNumber
          description="Have the technician read it to you"
          value={number}
          onChange={setNumber}
          disabled={claim.disputed}
        />
        <Button
          type="submit"
          loading={approve.isPending}
          disabled={!isWholeNumber(number) || !isAgreed || claim.disputed || isBusy}
        >
          Approve
        </Button>
        <Button variant="default" loading={reject.isPending} disabled={isBusy} onClick={() => reject.mutate()}>
          Reject
        </Button>
      </div>
      {approve.isError && <ErrorNote what="The box was not approved" error={approve.error} />}
      {reject.isError && <ErrorNote what="The claim was not rejected" error={reject.error} />}
    </form>
  );
}
