import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { isApiError } from '../../api/api-error.ts';
import { greetingQuery } from '../../api/queries/people.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { PhoneShell } from '../../layout/phone-shell.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { firstFragment, onFragment } from '../../session/fragment.ts';
import { readToken } from '../sign-in/read-token.ts';
import { AcceptForm } from './accept-form.tsx';

/** Who invites me, as what, and how do I get in? */
export function InvitePage() {
  usePageTitle('Invite');
  // The token left the address bar already and lives as long as this page.
  const [fragment, setFragment] = useState(() => firstFragment('/invite'));
  useEffect(() => onFragment('/invite', setFragment), []);
  const token = fragment === null ? null : readToken(fragment);
  return (
    <PhoneShell>
      <h1>You are invited</h1>
      {token !== null ? (
        <Invite key={token} token={token} />
      ) : (
        <Note tone="warn" role="alert" title={fragment === null ? 'Open your link again.' : 'This link is not whole.'}>
          {fragment === null
            ? 'This page forgets the link when it is loaded anew. Open the link you were given once more; it was not used up.'
            : 'Part of it was cut off, often by a message that broke the line. Copy the whole link and open it again.'}
        </Note>
      )}
    </PhoneShell>
  );
}

function Invite({ token }: { token: string }) {
  const greeting = useQuery(greetingQuery(token));
  if (greeting.data) return <AcceptForm token={token} greeting={greeting.data} />;
  if (isApiError(greeting.error, 'INVITE_INVALID')) return <DeadInvite message={greeting.error.message} />;
  if (greeting.error)
    return (
      <ErrorNote what="The invite could not be read" error={greeting.error} onRetry={() => void greeting.refetch()} />
    );
  return (
    <div aria-busy="true">
      <RowsSkeleton rows={3} />
    </div>
  );
}

export function DeadInvite({ message }: { message: string }) {
  return (
    <Note tone="warn" role="alert" title="This link lets nobody in any more.">
      <p>{message}</p>
      <p className="small">
        Code <code>INVITE_INVALID</code>
      </p>
    </Note>
  );
}
