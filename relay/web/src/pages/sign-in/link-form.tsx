import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { readToken } from './read-token.ts';
import css from './sign-in.module.css';

/** On a phone the link often waits in a message: pasted here it signs in the tab that needs it. */
export function LinkForm({ onToken }: { onToken: (token: string) => void }) {
  const [text, setText] = useState('');
  const [isBad, setBad] = useState(false);
  return (
    <section className={css.form}>
      <h2>With a one-time link</h2>
      <p>
        The first time, or when the password is lost. Open the link on this device, or paste it here. It works once and
        for 15 minutes; then this device stays signed in until you sign out or the session ends.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const token = readToken(text);
          setBad(token === null);
          if (token !== null) {
            setText('');
            onToken(token);
          }
        }}
      >
        <TextInput
          label="One-time link"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="Paste the link"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={isBad && 'This is not a whole sign-in link. Copy it again from its beginning to its end.'}
        />
        <Button type="submit" variant="default" disabled={text === ''}>
          Use the link
        </Button>
      </form>
      <h3>No link?</h3>
      <p>Whoever runs the relay makes one on its computer, in the folder of Sitewarden, with:</p>
      <pre className={css.command}>
        <code>sitewarden-relay sign-in-link --config &lt;relay.yaml&gt; --email &lt;yours&gt;</code>
      </pre>
    </section>
  );
}
