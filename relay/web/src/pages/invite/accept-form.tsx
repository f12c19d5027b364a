import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { isApiError } from '../../api/api-error.ts';
import { keys } from '../../api/keys.ts';
import { acceptInvite } from '../../api/queries/people.ts';
import { sessionQuery } from '../../api/queries/session.ts';
import type { InviteGreeting } from '../../api/types.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { isLongEnough, NewPassword } from '../../components/new-password.tsx';
import { Note } from '../../components/note.tsx';
import { tellSignedIn } from '../../session/channel.ts';
import { ROLE_WORDS } from '../../words/people.ts';
import css from './invite.module.css';
import { DeadInvite } from './invite-page.tsx';

/** Choosing the password accepts the invite and signs in. */
export function AcceptForm({ token, greeting }: { token: string; greeting: InviteGreeting }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [password, setPassword] = useState('');
  const session = useQuery(sessionQuery);
  const accept = useMutation({
    mutationFn: acceptInvite,
    onSuccess: async (signedIn) => {
      // What was read for somebody else on this device is not this person's.
      await client.cancelQueries();
      client.clear();
      client.setQueryData(keys.session, signedIn);
      tellSignedIn();
      await navigate(signedIn.role === 'technician' ? '/claim' : '/', { replace: true });
    },
  });
  const { partnerName, invitedBy, role, siteNames, name, email } = greeting;
  if (isApiError(accept.error, 'INVITE_INVALID')) return <DeadInvite message={accept.error.message} />;
  return (
    <>
      <p>
        <strong>{invitedBy}</strong> of <strong>{partnerName}</strong> invites you, {name}, as{' '}
        <strong>{ROLE_WORDS[role].word.toLowerCase()}</strong>: {ROLE_WORDS[role].does}.
      </p>
      {role === 'technician' && (
        <p>
          {siteNames.length === 0
            ? 'No site is given to you yet; an admin does that.'
            : `Your sites: ${siteNames.join(', ')}.`}
        </p>
      )}
      {session.data && (
        <Note tone="info" title={`${session.data.name} is signed in on this device.`}>
          Accepting signs {session.data.name} out here.
        </Note>
      )}
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (isLongEnough(password)) accept.mutate({ token, password });
        }}
      >
        <div>
          <p className="dim small">You sign in with</p>
          <p className={css.email}>{email}</p>
          {/* Password managers store the pair. */}
          <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
        </div>
        <NewPassword label="Choose a password" value={password} onChange={setPassword} />
        <Button type="submit" loading={accept.isPending} disabled={!isLongEnough(password)}>
          Accept and sign in
        </Button>
        {accept.isError && <ErrorNote what="The invite was not accepted" error={accept.error} />}
      </form>
    </>
  );
}
