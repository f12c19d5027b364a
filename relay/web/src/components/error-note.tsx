import { Button } from '@mantine/core';
import { isApiError } from '../api/api-error.ts';
import { Note } from './note.tsx';

interface ErrorNoteProps {
  /** What did not work: "The sites could not be loaded". */
  what: string;
  error: unknown;
  onRetry?: () => void;
}

/** What happened, why and what to do next, in the relay's own words. */
export function ErrorNote({ what, error, onRetry }: ErrorNoteProps) {
  const known = isApiError(error);
  return (
    <Note
      tone="bad"
      role="alert"
      title={`${what}.`}
      action={
        onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      <p>{known ? error.message : 'This page failed in a way it did not expect. Load it again.'}</p>
      {known && (
        <p className="small">
          Code <code>{error.code}</code>
          {error.field && (
            <>
              , field <code>{error.field}</code>
            </>
          )}
        </p>
      )}
    </Note>
  );
}
