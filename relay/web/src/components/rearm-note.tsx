import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '../api/keys.ts';
import { findRearm, rearmBox, rearmsQuery } from '../api/queries/custody.ts';
import type { Rearm } from '../api/types.ts';
import { may } from '../session/rights.ts';
import { useSession } from '../session/session-gate.tsx';
import { ErrorNote } from './error-note.tsx';
import { Note } from './note.tsx';
import css from './rearm-note.module.css';
import { digitsOf, isWholeNumber, ShownNumber } from './shown-number.tsx';
import { TimeAgo } from './time-ago.tsx';

/** Boxes that came back under a new key and ask for their place; nothing when none does. */
export function RearmNote({ siteId }: { siteId?: string }) {
  const { role } = useSession();
  const [shown, setShown] = useState('');
  const rearms = useQuery({ ...rearmsQuery(siteId), enabled: may(role, 'provision') });
  const search = useMutation({ mutationFn: () => findRearm(siteId, digitsOf(shown)) });
  const asking = (search.data ?? rearms.data)?.rearms ?? [];
  const more = rearms.data?.more ?? 0;
  return (
    <>
      {asking.map((rearm) => (
        <Asking
          key={`${rearm.session} ${rearm.applianceId}`}
          rearm={rearm}
          isNamed={siteId === undefined}
          mayApprove={may(role, 'approve')}
          onApproved={search.reset}
        />
      ))}
      {(more > 0 || shown !== '') && (
        <Note tone="warn" role="status" title={`${more} more ask for a place.`}>
          <p>So many ask when somebody makes up serial numbers. Type the number your box shows to find it.</p>
          <form
            className={css.form}
            onSubmit={(event) => {
              event.preventDefault();
              if (isWholeNumber(shown)) search.mutate();
            }}
          >
            <div className={css.inline}>
              <ShownNumber
                label="Find the box by its number"
                value={shown}
                onChange={(typed) => {
                  setShown(typed);
                  search.reset();
                }}
              />
              <Button type="submit" variant="default" loading={search.isPending} disabled={!isWholeNumber(shown)}>
                Find it
              </Button>
            </div>
          </form>
          {search.data?.rearms.length === 0 && <p>No box that asks shows this number.</p>}
          {search.isError && <ErrorNote what="The box was not looked for" error={search.error} />}
        </Note>
      )}
    </>
  );
}

interface AskingProps {
  rearm: Rearm;
  isNamed: boolean;
  mayApprove: boolean;
  onApproved: () => void;
}

function Asking({ rearm, isNamed, mayApprove, onApproved }: AskingProps) {
  return (
    <Note
      tone="warn"
      role="status"
      title={`A box with the serial number ${rearm.serial} has a new key and asks for its place${isNamed ? ` at ${rearm.siteName}` : ''}.`}
    >
      <p>
        Asked <TimeAgo atMs={rearm.startedAtMs} />. A serial number can be made up: approve only with the number
        somebody you know reads on the box itself. It then goes on as the same box, and the old key is refused.
      </p>
      {mayApprove ? (
        <Approve rearm={rearm} onApproved={onApproved} />
      ) : (
        <p>An admin has to approve it with the number the box shows.</p>
      )}
    </Note>
  );
}

function Approve({ rearm, onApproved }: Pick<AskingProps, 'rearm' | 'onApproved'>) {
  const client = useQueryClient();
  const [number, setNumber] = useState('');
  const refresh = (...list: readonly (readonly unknown[])[]) =>
    Promise.all(list.map((queryKey) => client.invalidateQueries({ queryKey })));
  const approve = useMutation({
    mutationFn: () => rearmBox(rearm.session, { applianceId: rearm.applianceId, number: digitsOf(number) }),
    onSuccess: () => {
      onApproved();
      return refresh(
        keys.rearms,
        keys.sites,
        keys.site(rearm.siteId),
        keys.custody(rearm.siteId),
        keys.timeline(rearm.siteId),
      );
    },
    onError: () => refresh(keys.rearms),
  });
  const isLocked = rearm.triesLeft === 0;
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (isWholeNumber(number) && !isLocked) approve.mutate();
      }}
    >
      <div className={css.inline}>
        <ShownNumber value={number} onChange={setNumber} disabled={isLocked} />
        <Button type="submit" loading={approve.isPending} disabled={!isWholeNumber(number) || isLocked}>
          Re-arm the box
        </Button>
      </div>
      {isLocked && <p>Five wrong numbers were typed. Restart the box, so that it shows a new one.</p>}
      {approve.isError && <ErrorNote what="The box was not re-armed" error={approve.error} />}
    </form>
  );
}
