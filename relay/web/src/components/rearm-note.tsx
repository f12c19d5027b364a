import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '../api/keys.ts';
import { rearmBox, rearmsQuery } from '../api/queries/custody.ts';
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
  const digits = digitsOf(shown);
  const mayLook = may(role, 'provision');
  const rearms = useQuery({ ...rearmsQuery(siteId), enabled: mayLook });
  const isLooking = mayLook && isWholeNumber(shown);
  const found = useQuery({ ...rearmsQuery(siteId, digits), enabled: isLooking });
  const asking = (isLooking ? found : rearms).data?.rearms ?? [];
  const more = rearms.data?.more ?? 0;
  return (
    <>
      {asking.map((rearm) => (
        <Asking key={rearm.session} rearm={rearm} isNamed={siteId === undefined} mayApprove={may(role, 'approve')} />
      ))}
      {(more > 0 || digits !== '') && (
        <Note tone="warn" role="status" title={`${more} more ask for a place.`}>
          <p>So many ask when somebody makes up serial numbers. Type the number your box shows to find it.</p>
          <ShownNumber label="Find the box by its number" value={shown} onChange={setShown} />
          {isLooking && found.data?.rearms.length === 0 && <p>No box that asks shows this number.</p>}
        </Note>
      )}
    </>
  );
}

function Asking({ rearm, isNamed, mayApprove }: { rearm: Rearm; isNamed: boolean; mayApprove: boolean }) {
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
      {mayApprove ? <Approve rearm={rearm} /> : <p>An admin has to approve it with the number the box shows.</p>}
    </Note>
  );
}

function Approve({ rearm }: { rearm: Rearm }) {
  const client = useQueryClient();
  const [number, setNumber] = useState('');
  const refresh = (...list: readonly (readonly unknown[])[]) =>
    Promise.all(list.map((queryKey) => client.invalidateQueries({ queryKey })));
  const approve = useMutation({
    mutationFn: () => rearmBox(rearm.session, digitsOf(number)),
    onSuccess: () =>
      refresh(
        keys.rearms,
        keys.sites,
        keys.site(rearm.siteId),
        keys.custody(rearm.siteId),
        keys.timeline(rearm.siteId),
      ),
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
