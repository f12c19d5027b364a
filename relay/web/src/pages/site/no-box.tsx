import { Button } from '@mantine/core';
import { Link } from 'react-router';
import { Note } from '../../components/note.tsx';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';

export function NoBox({ siteId }: { siteId: string }) {
  const { role } = useSession();
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
