import { Note } from '../../components/note.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { InviteSection } from './invite-section.tsx';
import { InvitesSection } from './invites-section.tsx';
import css from './people.module.css';
import { PeopleSection } from './people-section.tsx';

/** Who may come in, as what? */
export function PeoplePage() {
  usePageTitle('People');
  const { role, name } = useSession();
  if (!may(role, 'managePeople'))
    return (
      <Note tone="info" title={`${name} has the role ${role}, which does not manage people.`}>
        Ask an admin of your MSP for what you need.
      </Note>
    );
  return (
    <div className={css.page}>
      <h1>People</h1>
      <div className={css.columns}>
        <div className={css.column}>
          <PeopleSection />
          <InvitesSection />
        </div>
        <div className={css.column}>
          <InviteSection />
        </div>
      </div>
    </div>
  );
}
