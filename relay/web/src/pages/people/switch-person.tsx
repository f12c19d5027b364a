import { Button } from '@mantine/core';
import type { Person } from '../../api/types.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';
import css from './people.module.css';
import { useChangePerson } from './use-change-person.ts';

/** The question before somebody is let out or in again. */
export function SwitchPerson({ person, onDone }: { person: Person; onDone: () => void }) {
  const { name } = person;
  const isDisabled = person.disabledAtMs !== null;
  const change = useChangePerson(person, onDone);
  return (
    <>
      <Note
        tone={isDisabled ? 'info' : 'warn'}
        title={isDisabled ? `Let ${name} in again?` : `Sign ${name} out everywhere?`}
      >
        {isDisabled
          ? 'The password from before works again; with it come the role and sites shown here.'
          : 'It happens at once, and nothing lets them in until they are enabled again. What they did stays on record.'}
      </Note>
      <div className={css.inline}>
        <Button loading={change.isPending} onClick={() => change.mutate({ disabled: !isDisabled })}>
          {isDisabled ? `Yes, enable ${name}` : `Yes, disable ${name}`}
        </Button>
        <Button variant="default" onClick={onDone}>
          Leave it
        </Button>
      </div>
      {change.isError && <ErrorNote what={`${name} was not changed`} error={change.error} />}
    </>
  );
}
