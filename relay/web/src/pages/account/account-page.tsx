import { useQuery } from '@tanstack/react-query';
import { meQuery } from '../../api/queries/people.ts';
import type { Me } from '../../api/types.ts';
import { FactGrid } from '../../components/fact-grid.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Section } from '../../components/section.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { ROLE_WORDS } from '../../words/people.ts';
import css from './account.module.css';
import { PasswordSection } from './password-section.tsx';

/** Who am I here, and how do I change my password? */
export function AccountPage() {
  usePageTitle('Your account');
  const me = useQuery(meQuery);
  return (
    <div className={css.page}>
      <h1>Your account</h1>
      <Loaded query={me} what="Your account" skeleton={<RowsSkeleton rows={4} />}>
        {(person) => (
          <>
            <Section id="who" title={person.name}>
              <FactGrid rows={rowsOf(person)} />
            </Section>
            <PasswordSection me={person} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function rowsOf({ email, role, siteNames, lastSignInAtMs }: Me) {
  return [
    { name: 'E-mail', value: email ?? 'none yet' },
    { name: 'Role', value: `${ROLE_WORDS[role].word}: ${ROLE_WORDS[role].does}` },
    ...(role === 'technician'
      ? [{ name: 'Sites', value: siteNames.join(', ') || 'none yet; an admin gives them' }]
      : []),
    { name: 'Signed in', value: lastSignInAtMs === null ? 'never' : <TimeAgo atMs={lastSignInAtMs} /> },
  ];
}
