import { Button } from '@mantine/core';
import { isRouteErrorResponse, useRouteError } from 'react-router';
import { Note } from '../components/note.tsx';
import css from '../session/session-gate.module.css';

/** A part of the page that was replaced by a newer version on the relay cannot be fetched any more. */
const isOldPage = (error: unknown) => error instanceof TypeError && /import|module/i.test(error.message);

/** Catches what no page handled. */
export function Crash() {
  const error = useRouteError();
  const reload = (
    <Button size="xs" variant="default" onClick={() => globalThis.location.reload()}>
      Load the page again
    </Button>
  );
  const detail = isRouteErrorResponse(error) ? `${error.status} ${error.statusText}` : String(error);
  return (
    <main className={css.wait}>
      {isOldPage(error) ? (
        <Note tone="info" role="alert" title="A part of this page could not be fetched." action={reload}>
          The relay may have been updated, or the network is gone. Load the page again.
        </Note>
      ) : (
        <Note tone="bad" role="alert" title="This page failed." action={reload}>
          <p>Nothing was changed at the relay. Load the page again; if it fails again, tell us what it says here:</p>
          <p>
            <code>{detail}</code>
          </p>
        </Note>
      )}
    </main>
  );
}
