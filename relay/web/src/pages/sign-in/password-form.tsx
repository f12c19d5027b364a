import { Button, TextInput } from '@mantine/core';
import { isApiError } from '../../api/api-error.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';
import css from './sign-in.module.css';

interface PasswordFormProps {
  isBusy: boolean;
  error: unknown;
  onSubmit: (body: { email: string; password: string }) => void;
}

/** The fields are the browser's to fill: password managers set them without an event. */
export function PasswordForm({ isBusy, error, onSubmit }: PasswordFormProps) {
  return (
    <div className={css.form}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const data = new FormData(event.currentTarget);
          const email = String(data.get('email') ?? '').trim();
          const password = String(data.get('password') ?? '');
          if (email && password) onSubmit({ email, password });
        }}
      >
        <TextInput
          label="E-mail"
          name="email"
          type="email"
          inputMode="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={254}
          required
          withAsterisk={false}
        />
        <TextInput
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          maxLength={1024}
          required
          withAsterisk={false}
        />
        <Button type="submit" loading={isBusy}>
          Sign in
        </Button>
      </form>
      <PasswordProblem error={error} />
    </div>
  );
}

function PasswordProblem({ error }: { error: unknown }) {
  if (!error) return null;
  if (!isApiError(error, 'SIGN_IN_FAILED') && !isApiError(error, 'SIGN_IN_LOCKED'))
    return <ErrorNote what="You could not be signed in" error={error} />;
  const title = error.code === 'SIGN_IN_LOCKED' ? 'Wait a moment before the next try.' : 'You were not signed in.';
  return (
    <Note tone="warn" role="alert" title={title}>
      <p>{error.message}</p>
      <p className="small">
        Code <code>{error.code}</code>
      </p>
    </Note>
  );
}
