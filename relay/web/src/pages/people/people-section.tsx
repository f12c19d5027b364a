import { useQuery } from '@tanstack/react-query';
import { usersQuery } from '../../api/queries/people.ts';
import { plural } from '../../clock/format.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Section } from '../../components/section.tsx';
import { ShortList } from '../../components/short-list.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { useSession } from '../../session/session-gate.tsx';
import { PersonRow } from './person-row.tsx';

export function PeopleSection() {
  const { staffId } = useSession();
  const people = useQuery(usersQuery);
  const active = people.data?.users.filter((person) => person.disabledAtMs === null).length ?? 0;
  return (
    <Section id="people" title="People" aside={people.data && `${plural(active, 'person', 'people')} may sign in`}>
      <Loaded query={people} what="The people" skeleton={<RowsSkeleton rows={4} height={56} />}>
        {({ users }) => (
          <>
            <ShortList items={users} shown={50} noun="person">
              {(shown) => (
                <ul>
                  {shown.map((person) => (
                    <PersonRow key={person.id} person={person} isSelf={person.id === staffId} />
                  ))}
                </ul>
              )}
            </ShortList>
            {users.length === 1 && (
              <EmptyState small icon="person" title="Nobody else yet">
                Invite the people of your company; each gets a link, chooses a password and signs in with it.
              </EmptyState>
            )}
          </>
        )}
      </Loaded>
    </Section>
  );
}
