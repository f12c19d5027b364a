import { useQuery } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useRef } from 'react';
import { Navigate, Outlet, useLocation } from 'react-router';
import { sessionQuery } from '../api/queries/session.ts';
import type { Session } from '../api/types.ts';
import { ErrorNote } from '../components/error-note.tsx';
import { RowsSkeleton } from '../components/skeletons.tsx';
import { LiveProvider } from '../live/live-provider.tsx';
import { signInPath } from './return-path.ts';
import css from './session-gate.module.css';

const SessionContext = createContext<Session | null>(null);

/** Everything below it is for signed-in people; others go to the sign-in page and come back. */
export function SessionGate() {
  const session = useQuery(sessionQuery);
  const { pathname, search } = useLocation();
  const wasSignedIn = useRef(false);
  useEffect(() => {
    if (session.data) wasSignedIn.current = true;
  }, [session.data]);
  if (session.data)
    return (
      <SessionContext value={session.data}>
        <LiveProvider>
          <Outlet />
        </LiveProvider>
      </SessionContext>
    );
  if (session.data === null)
    return <Navigate to={signInPath(pathname + search)} state={{ sessionEnded: wasSignedIn.current }} replace />;
  return (
    <main className={css.wait} aria-busy={session.isPending}>
      {session.error ? (
        <ErrorNote
          what="It could not be found out who is signed in"
          error={session.error}
          onRetry={() => void session.refetch()}
        />
      ) : (
        <RowsSkeleton rows={6} />
      )}
    </main>
  );
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('useSession needs a SessionGate above it');
  return session;
}
