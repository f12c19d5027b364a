import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { keys } from '../../api/keys.ts';
import { releaseQuarantine } from '../../api/queries/site.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import css from './site-header.module.css';

/** Why the box gets no orders, and for admins the way out of it. */
export function QuarantineNote({ siteId, applianceId }: { siteId: string; applianceId: string }) {
  const { role } = useSession();
  const isAdmin = may(role, 'configure');
  return (
    <Note tone="bad" role="alert" title="This box is quarantined: two boxes use its identity.">
      <p>
        It gets no orders until an admin releases it. Look for a copy of it first, like a cloned disk or virtual
        machine, and take that off the network.{' '}
        <Link to={`/sites/${siteId}/quarantine`}>See both machines, and decide</Link>.
      </p>
      {isAdmin && <Release siteId={siteId} applianceId={applianceId} />}
    </Note>
  );
}

function Release({ siteId, applianceId }: { siteId: string; applianceId: string }) {
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const release = useMutation({
    mutationFn: () => releaseQuarantine(siteId, applianceId),
    onSuccess: (next) => client.setQueryData(keys.site(siteId), next),
    // It may have been released by somebody else.
    onError: () => client.invalidateQueries({ queryKey: keys.site(siteId) }),
  });
  if (!isAsking) {
    return (
      <Button mt={8} size="xs" variant="default" onClick={() => setAsking(true)}>
        It is one box: release
      </Button>
    );
  }
  return (
    <div className={css.release}>
      <p>
        The box that checks in next is taken for the real one and gets orders again. If a copy is still on, it is caught
        at its next check-in.
      </p>
      <div className={css.choices}>
        <Button size="xs" loading={release.isPending} onClick={() => release.mutate()}>
          Yes, release it
        </Button>
        <Button size="xs" variant="default" disabled={release.isPending} onClick={() => setAsking(false)}>
          Cancel
        </Button>
      </div>
      {release.isError && <ErrorNote what="The box was not released" error={release.error} />}
    </div>
  );
}
