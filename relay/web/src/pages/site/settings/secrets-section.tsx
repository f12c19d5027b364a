import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '../../../api/keys.ts';
import { removeSecret, secretsQuery, setSecret } from '../../../api/queries/secrets.ts';
import type { SecretList } from '../../../api/types.ts';
import { Actor } from '../../../components/actor.tsx';
import { ErrorNote } from '../../../components/error-note.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Note } from '../../../components/note.tsx';
import { Section } from '../../../components/section.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { TimeAgo } from '../../../components/time-ago.tsx';
import css from './settings.module.css';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** What the box may need to know and nobody else: sealed to it when it is entered, and never shown again. */
export function SecretsSection({ siteId }: { siteId: string }) {
  const secrets = useQuery(secretsQuery(siteId));
  return (
    <Section id="secrets" title="Secrets">
      <Loaded query={secrets} what="The secrets" skeleton={<RowsSkeleton rows={1} height={40} />}>
        {(list) => <Secrets siteId={siteId} list={list} />}
      </Loaded>
    </Section>
  );
}

function Secrets({ siteId, list: { secrets, hasBox } }: { siteId: string; list: SecretList }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [isShown, setShown] = useState(false);
  const take = (next: SecretList) => client.setQueryData(keys.secrets(siteId), next);
  const save = useMutation({
    mutationFn: () => setSecret(siteId, name, value),
    onSuccess: (next) => {
      take(next);
      setName('');
    },
    // Kept nowhere in the page longer than it takes to send it.
    onSettled: () => {
      setValue('');
      setShown(false);
    },
  });
  const remove = useMutation({ mutationFn: (one: string) => removeSecret(siteId, one), onSuccess: take });
  const again = secrets.filter(({ isToEnterAgain }) => isToEnterAgain).map((secret) => secret.name);
  const isNameBad = name !== '' && !NAME.test(name);
  return (
    <form
      className={css.form}
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        if (hasBox && !isNameBad && name !== '' && value !== '') save.mutate();
      }}
    >
      {again.length > 0 && (
        <Note tone="warn" title={`To be entered again: ${again.join(', ')}`}>
          {hasBox
            ? 'The box of this site has another key since. It cannot open what was sealed to the one before.'
            : 'What was sealed to the box before opens for no other.'}
        </Note>
      )}
      {secrets.length === 0 && (
        <p className="dim">This site has no secrets. Its box gets each sealed to its own key.</p>
      )}
      <ul>
        {secrets.map((secret) => (
          <li key={secret.name} className={css.end}>
            <code>{secret.name}</code>
            <span className="dim small">
              set <TimeAgo atMs={secret.setAtMs} /> by <Actor actor={secret.setBy} />
            </span>
            <Button
              size="compact-xs"
              variant="default"
              aria-label={`Remove the secret ${secret.name}`}
              loading={remove.isPending && remove.variables === secret.name}
              onClick={() => remove.mutate(secret.name)}
            >
              Remove
            </Button>
          </li>
        ))}
      </ul>
      {!hasBox && <p className="dim">A secret is sealed to the box of the site, and no box can take one now.</p>}
      {hasBox && (
        <>
          <TextInput
            label="Name of a secret"
            description="Small letters, digits and . _ - only. A name that is there already is replaced."
            value={name}
            maxLength={64}
            error={isNameBad && 'This cannot be a name.'}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Textarea
            label="Value"
            description="One line or several, like a key in PEM. Sealed to the box at once. Nobody can read it here again, so keep it where you have it from."
            value={value}
            rows={4}
            classNames={{ input: isShown ? '' : css.hidden }}
            // No spelling service is to read it, and no form filler to remember it.
            autoComplete="off"
            autoCorrect="off"
            autoCapitalize="off"
            spellCheck={false}
            data-1p-ignore
            data-lpignore="true"
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          <Checkbox
            label="Show what I enter"
            checked={isShown}
            onChange={(event) => setShown(event.currentTarget.checked)}
          />
          <div className={css.end}>
            <Button type="submit" loading={save.isPending} disabled={isNameBad || name === '' || value === ''}>
              Seal it to the box
            </Button>
            <p className="small dim" role="status">
              {save.isSuccess && value === '' && name === '' && 'Sealed. The box has it after its next check-in.'}
            </p>
          </div>
        </>
      )}
      {save.isError && <ErrorNote what="The secret was not sealed" error={save.error} />}
      {remove.isError && <ErrorNote what="The secret was not removed" error={remove.error} />}
    </form>
  );
}
