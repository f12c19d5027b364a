import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Person } from '../../api/types.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import css from './people.module.css';
import { type ChosenRole, RoleFields, siteIdsOf } from './role-fields.tsx';
import { useChangePerson } from './use-change-person.ts';

export function EditPerson({ person, onDone }: { person: Person; onDone: () => void }) {
  const [name, setName] = useState(person.name);
  const [chosen, setChosen] = useState<ChosenRole>({
    role: person.role,
    sites: person.siteIds.map((id, index) => ({ id, name: person.siteNames[index] ?? id })),
  });
  const change = useChangePerson(person, onDone);
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        const { role } = chosen;
        const siteIds = role === 'technician' ? { siteIds: siteIdsOf(chosen) } : {};
        if (name.trim()) change.mutate({ name: name.trim(), role, ...siteIds });
      }}
    >
      <TextInput label="Name" maxLength={120} value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <RoleFields chosen={chosen} onChange={setChosen} />
      <p className="dim small">Another role or other sites sign {person.name} out at once.</p>
      <div className={css.inline}>
        <Button type="submit" loading={change.isPending} disabled={!name.trim()}>
          Save
        </Button>
        <Button variant="default" onClick={onDone}>
          Leave it
        </Button>
      </div>
      {change.isError && <ErrorNote what={`${person.name} was not changed`} error={change.error} />}
    </form>
  );
}
