import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import { keys } from '../../api/keys.ts';
import { sessionQuery, signIn, signInWithPassword } from '../../api/queries/session.ts';
import type { Session } from '../../api/types.ts';
import { Note } from '../../components/note.tsx';
import { PhoneShell } from '../../layout/phone-shell.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { onSignedIn, tellSignedIn } from '../../session/channel.ts';
import { firstFragment, onFragment } from '../../session/fragment.ts';
import { rememberReturn, takeReturn } from '../../session/return-path.ts';
import { keptScan, readClaim } from '../../session/scanned-claim.ts';
import { LinkForm } from './link-form.tsx';
import { PasswordForm } from './password-form.tsx';
import { readToken } from './read-token.ts';
import { SignInProblem } from './sign-in-problem.tsx';

/** Trades a password or a one-time link for a session, then leads back to where the reader wanted to go. */
export function SignInPage() {
  usePageTitle('Sign in');
  const [params] = useSearchParams();
  const wanted = params.get('return');
  const { state } = useLocation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [fragment, setFragment] = useState<string | null>(() => firstFragment('/sign-in'));
  const tried = useRef<string | null>(null);
  const session = useQuery({ ...sessionQuery, staleTime: 0 });

  const leave = useCallback(() => void navigate(takeReturn(), { replace: true }), [navigate]);
  const enter = async (signedIn: Session) => {
    // An answer from before the sign-in may still be under way and would undo it.
    await client.cancelQueries({ queryKey: keys.session });
    client.setQueryData(keys.session, signedIn);
    tellSignedIn();
  };
  const trade = useMutation({ mutationFn: signIn, onSuccess: enter });
  const byPassword = useMutation({ mutationFn: signInWithPassword, onSuccess: enter });
  const { mutate } = trade;

  useEffect(() => rememberReturn(wanted), [wanted]);
  useEffect(() => onSignedIn(() => void client.invalidateQueries({ queryKey: keys.session })), [client]);
  useEffect(() => onFragment('/sign-in', setFragment), []);

  const token = fragment === null ? null : readToken(fragment);
  useEffect(() => {
    if (token === null || tried.current === token) return;
    tried.current = token;
    mutate(token);
  }, [token, mutate]);
  const isSignedIn = Boolean(session.data) && (token === null || trade.isSuccess || byPassword.isSuccess);
  useEffect(() => {
    if (isSignedIn) leave();
  }, [isSignedIn, leave]);

  if (isSignedIn || trade.isPending)
    return (
      <PhoneShell>
        <p role="status">Signing in</p>
      </PhoneShell>
    );
  const scan = keptScan();
  const { signedOut = false, sessionEnded = false } = (state ?? {}) as { signedOut?: boolean; sessionEnded?: boolean };
  return (
    <PhoneShell>
      <h1>Sign in</h1>
      {signedOut && !fragment && <Note tone="ok" role="status" title="You are signed out." />}
      {sessionEnded && !fragment && (
        <Note tone="info" role="status" title="You were signed out.">
          The session ended on the relay: it was not used for a while, or an admin changed what you may do. Sign in
          again to go on.
        </Note>
      )}
      {wanted?.startsWith('/claim') && scan !== null && readClaim(scan) === null && (
        <Note tone="warn" role="alert" title="This is not the QR code of a Sitewarden box.">
          Or part of it was not read. Scan the code on the screen of the box again before you sign in.
        </Note>
      )}
      {wanted?.startsWith('/claim') && scan !== null && readClaim(scan) !== null && !trade.isError && (
        <Note tone="info" title="The box’s code is kept on this phone.">
          Sign in, and the claim goes on here by itself.
        </Note>
      )}
      <SignInProblem isUnreadable={fragment !== null && token === null} error={trade.error ?? session.error} />
      <PasswordForm isBusy={byPassword.isPending} error={byPassword.error} onSubmit={byPassword.mutate} />
      <LinkForm onToken={mutate} />
    </PhoneShell>
  );
}
