import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '../../api/keys.ts';
import { changeOwnPassword } from '../../api/queries/people.ts';
import type { Me } from '../../api/types.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { isLongEnough, NewPassword } from '../../components/new-password.tsx';
import { Note } from '../../components/note.tsx';
import { Section } from '../../components/section.tsx';
import css from './account.module.css';

export function PasswordSection({ me }: { me: Me }) {
  const client = useQueryClient();
  const [email, setEmail] = useState('');
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: changeOwnPassword,
    onSuccess: () => {
      setCurrent('');
      setNext('');
      return client.invalidateQueries({ queryKey: keys.me });
    },
  });
  const asksEmail = me.email === null;
  const isReady = isLongEnough(next) && (!me.needsCurrent || current !== '') && (!asksEmail || email.trim() !== '');
  return (
    <Section id="password" title={me.hasPassword ? 'Change the password' : 'Set a password'}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isReady) return;
          change.mutate({
            next,
            ...(me.needsCurrent && { current }),
            ...(asksEmail && { email: email.trim() }),
          });
        }}
      >
        {!me.hasPassword && <p>Then you sign in with e-mail and password, and need no one-time link any more.</p>}
        {asksEmail ? (
          <TextInput
            label="E-mail"
            description="You sign in with it. It cannot be changed here later."
            type="email"
            name="email"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={254}
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
        ) : (
          <input type="text" name="username" autoComplete="username" value={me.email ?? ''} readOnly hidden />
        )}
        {me.needsCurrent && (
          <TextInput
            label="Present password"
            type="password"
            name="current-password"
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.currentTarget.value)}
          />
        )}
        <NewPassword label="New password" value={next} onChange={setNext} />
        <Button type="submit" loading={change.isPending} disabled={!isReady}>
          {me.hasPassword ? 'Change the password' : 'Set the password'}
        </Button>
        {change.isError && <ErrorNote what="The password was not changed" error={change.error} />}
        {change.isSuccess && (
          <Note tone="ok" role="status" title="The new password counts from now on.">
            Your other devices were signed out; this one stays signed in.
          </Note>
        )}
      </form>
    </Section>
  );
}
