import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Person } from '../../api/types.ts';
import { Tag } from '../../components/tag.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { PERSON_STATE, ROLE_WORDS } from '../../words/people.ts';
import { EditPerson } from './edit-person.tsx';
import css from './people.module.css';
import { SwitchPerson } from './switch-person.tsx';

type Open = 'edit' | 'switch' | null;

export function PersonRow({ person, isSelf }: { person: Person; isSelf: boolean }) {
  const [open, setOpen] = useState<Open>(null);
  const { name, email, role, siteNames, lastSignInAtMs } = person;
  const isDisabled = person.disabledAtMs !== null;
  const close = () => setOpen(null);
  const toggle = (which: Open) => setOpen(open === which ? null : which);
  return (
    <li className={css.row}>
      <div>
        <p>
          <span className={css.name}>{name}</span>
          {isSelf && <span className="dim small"> you</span>}
        </p>
        <p className="dim small">
          {ROLE_WORDS[role].word}
          {role === 'technician' && `: ${siteNames.join(', ') || 'no site given'}`}, {email ?? 'no e-mail yet'},{' '}
          {lastSignInAtMs === null ? (
            'never signed in'
          ) : (
            <>
              signed in <TimeAgo atMs={lastSignInAtMs} />
            </>
          )}
        </p>
      </div>
      <div className={css.inline}>
        <Tag sign={PERSON_STATE[isDisabled ? 'disabled' : 'active']} />
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => toggle('edit')}
          aria-expanded={open === 'edit'}
          aria-label={`Change ${name}`}
        >
          Change
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => toggle('switch')}
          aria-expanded={open === 'switch'}
          aria-label={`${isDisabled ? 'Enable' : 'Disable'} ${name}`}
        >
          {isDisabled ? 'Enable' : 'Disable'}
        </Button>
      </div>
      {open !== null && (
        <div className={css.wide}>
          {open === 'edit' ? (
            <EditPerson person={person} onDone={close} />
          ) : (
            <SwitchPerson person={person} onDone={close} />
          )}
        </div>
      )}
    </li>
  );
}
