import { Button } from '@mantine/core';
import { useState } from 'react';
import type { InviteCreated } from '../../api/types.ts';
import { formatExact } from '../../clock/format.ts';
import { Note } from '../../components/note.tsx';
import { Icon } from '../../icons/icon.tsx';
import { useAnnounce } from '../../layout/announcer.tsx';
import { ROLE_WORDS } from '../../words/people.ts';
import css from './people.module.css';

type Copied = 'not yet' | 'copied' | 'refused';

export function InviteLink({ created, onDone }: { created: InviteCreated; onDone: () => void }) {
  const { invite, url } = created;
  const [copied, setCopied] = useState<Copied>('not yet');
  const announce = useAnnounce();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(url);
      setCopied('copied');
      announce('The link is in the clipboard');
    } catch {
      // Without TLS or the reader's leave a page has no clipboard.
      setCopied('refused');
    }
  };
  return (
    <div className={css.form}>
      <p>
        For <strong>{invite.name}</strong>, {invite.email}, as {ROLE_WORDS[invite.role].word.toLowerCase()}. Works once,
        until {formatExact(invite.expiresAtMs)}.
      </p>
      <p className={css.link} data-testid="invite-link">
        {url}
      </p>
      <div className={css.inline}>
        <Button leftSection={<Icon name={copied === 'copied' ? 'check' : 'copy'} />} onClick={() => void copy()}>
          {copied === 'copied' ? 'Copied' : 'Copy the link'}
        </Button>
        <Button variant="default" onClick={onDone}>
          Done, forget it
        </Button>
      </div>
      {copied === 'refused' && (
        <Note tone="warn" role="alert" title="The browser did not let this page copy.">
          Select the link above and copy it yourself.
        </Note>
      )}
      <Note tone="info" title="It is shown only now, and whoever has it gets in.">
        Send it in a way only {invite.name} reads. The relay sends no mail. Lost? Invite again; this one ends then.
      </Note>
    </div>
  );
}
