import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '../../api/keys.ts';
import { createInvite } from '../../api/queries/people.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Section } from '../../components/section.tsx';
import { InviteLink } from './invite-link.tsx';
import css from './people.module.css';
import { type ChosenRole, RoleFields, siteIdsOf } from './role-fields.tsx';

const NOBODY: ChosenRole = { role: 'technician', sites: [] };

/** The link is seen once, here; the relay keeps only its hash and sends no mail. */
export function InviteSection() {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [chosen, setChosen] = useState(NOBODY);
  const make = useMutation({
    mutationFn: createInvite,
    onSuccess: () => {
      setName('');
      setEmail('');
      setChosen(NOBODY);
      return client.invalidateQueries({ queryKey: keys.invites });
    },
  });
  if (make.data)
    return (
      <Section id="invite" title="Hand over this link">
        <InviteLink created={make.data} onDone={make.reset} />
      </Section>
    );
  return (
    <Section id="invite" title="Invite somebody">
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const wish = { name: name.trim(), email: email.trim(), role: chosen.role, siteIds: siteIdsOf(chosen) };
          if (wish.name && wish.email) make.mutate(wish);
        }}
      >
        <TextInput
          label="Name"
          placeholder="Kim Field"
          autoComplete="off"
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="E-mail"
          type="email"
          placeholder="kim@company.example"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={254}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <RoleFields chosen={chosen} onChange={setChosen} />
        <Button type="submit" loading={make.isPending} disabled={!name.trim() || !email.trim()}>
          Make the invite
        </Button>
        {make.isError && <ErrorNote what="Nobody was invited" error={make.error} />}
      </form>
    </Section>
  );
}
