import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from 'react-router';
import { keys } from '../api/keys.ts';
import { signOut } from '../api/queries/session.ts';
import { Icon } from '../icons/icon.tsx';
import { useSession } from '../session/session-gate.tsx';
import { useAnnounce } from './announcer.tsx';
import css from './shell.module.css';

/** Who is signed in, the way to their account, and the way out. */
export function Account() {
  const session = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const announce = useAnnounce();
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: async () => {
      await navigate('/sign-in', { state: { signedOut: true } });
      client.clear();
      client.setQueryData(keys.session, null);
    },
    onError: (error) => announce(`You are still signed in. ${error.message}`),
  });
  return (
    <>
      <Link to="/account" className={css.account} aria-label={`Your account: ${session.name}, ${session.role}`}>
        <Icon name="person" size={18} />
        <span className={css.who}>
          <strong>{session.name}</strong> <span className="dim">{session.role}</span>
        </span>
      </Link>
      <button
        type="button"
        className={css.iconButton}
        onClick={() => leave.mutate()}
        disabled={leave.isPending}
        title={leave.error ? `Still signed in. ${leave.error.message}` : `Sign out ${session.name} (${session.role})`}
        aria-label={`Sign out ${session.name}`}
      >
        <Icon name="leave" size={18} />
      </button>
    </>
  );
}
