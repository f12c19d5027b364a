import { isApiError } from '../../api/api-error.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';

export function SignInProblem({ isUnreadable, error }: { isUnreadable: boolean; error: unknown }) {
  if (isUnreadable)
    return (
      <Note tone="warn" role="alert" title="This sign-in link is not whole.">
        Part of it was cut off, often by a message that broke the line. Copy the whole link and paste it below, or ask
        for a new one.
      </Note>
    );
  if (!error) return null;
  if (isApiError(error) && error.status >= 400 && error.status < 500 && error.status !== 429)
    return (
      <Note tone="warn" role="alert" title="This link does not sign anybody in any more.">
        <p>{error.message}</p>
        <p className="small">
          Code <code>{error.code}</code>
        </p>
      </Note>
    );
  return <ErrorNote what="You could not be signed in" error={error} />;
}
