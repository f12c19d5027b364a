import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { custodyQuery } from '../../api/queries/custody.ts';
import { Note } from '../../components/note.tsx';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';

export function NoBox({ siteId }: { siteId: string }) {
  const { role } = useSession();
  const arriving = useQuery(custodyQuery(siteId)).data?.arriving[0];
  if (arriving !== undefined)
    return (
      <Note
        tone="info"
        title="No box watches this site yet: one was sent here."
        action={
          <Button component={Link} to={`/sites/${siteId}/custody`} size="xs" variant="default">
            See the move
          </Button>
        }
      >
        Box {arriving.serial} left {arriving.fromSiteName ?? 'its site'} for this one. Plug it in here: nobody has to
        claim it.
      </Note>
    );
  return (
    <Note
      tone="info"
      title="No box watches this site yet."
      action={
        may(role, 'provision') && (
          <Button component={Link} to={`/provisioning?site=${siteId}`} size="xs">
            Make a code for its box
          </Button>
        )
      }
    >
      Plug a box in at the site and scan the code it shows, or make a code here and take it along.
    </Note>
  );
}
