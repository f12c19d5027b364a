import { NativeSelect } from '@mantine/core';
import type { Role } from '../../api/types.ts';
import { ROLE_WORDS } from '../../words/people.ts';
import { SitesSelect } from './sites-select.tsx';

export interface ChosenRole {
  role: Role;
  /** Kept while another role is looked at; counts for technicians only. */
  sites: readonly { id: string; name: string }[];
}

const ROLES = Object.keys(ROLE_WORDS) as Role[];

/** What a role may do stands under it; sites are asked for technicians only. */
export function RoleFields({ chosen, onChange }: { chosen: ChosenRole; onChange: (chosen: ChosenRole) => void }) {
  const { role } = chosen;
  return (
    <>
      <NativeSelect
        label="Role"
        description={`May: ${ROLE_WORDS[role].does}`}
        data={ROLES.map((value) => ({ value, label: ROLE_WORDS[value].word }))}
        value={role}
        onChange={(event) => onChange({ ...chosen, role: event.currentTarget.value as Role })}
      />
      {role === 'technician' && (
        <SitesSelect sites={chosen.sites} onChange={(sites) => onChange({ ...chosen, sites })} />
      )}
    </>
  );
}

export const siteIdsOf = ({ role, sites }: ChosenRole): string[] =>
  role === 'technician' ? sites.map(({ id }) => id) : [];
