import type { ReactNode } from 'react';
import { ErrorNote } from './error-note.tsx';

interface QueryLike<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

interface LoadedProps<T> {
  query: QueryLike<T>;
  /** "The sites", as the subject of "could not be loaded". */
  what: string;
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
}

/** Skeleton, then data; data that could not be refreshed stays, under a note that says so. */
export function Loaded<T>({ query, what, skeleton, children }: LoadedProps<T>) {
  const { data, error, refetch } = query;
  if (data === undefined) {
    if (!error) return <div aria-busy="true">{skeleton}</div>;
    return <ErrorNote what={`${what} could not be loaded`} error={error} onRetry={() => void refetch()} />;
  }
  return (
    <>
      {error !== null && (
        <ErrorNote
          what={`${what} could not be refreshed; what is shown is older`}
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {children(data)}
    </>
  );
}
