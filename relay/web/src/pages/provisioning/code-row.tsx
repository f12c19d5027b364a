import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { keys } from '../../api/keys.ts';
import { revokeCode } from '../../api/queries/provisioning.ts';
import type { Code } from '../../api/types.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';
import { Tag } from '../../components/tag.tsx';
import { CODE_STATE, isCodeOpen } from '../../words/work.ts';
import { CodeLife } from './code-life.tsx';
import css from './provisioning.module.css';

export function CodeRow({ code }: { code: Code }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeCode(code.id),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.codes }),
  });
  return (
    <li className={css.row} data-state={code.state}>
      <div>
        <Link to={`/sites/${code.siteId}`} className={css.name}>
          {code.siteName}
        </Link>
        {code.preApproved && <span className="dim small"> pre-approved</span>}
      </div>
      <div className={css.inline}>
        <Tag sign={CODE_STATE[code.state]} />
        {isCodeOpen(code) && (
          <Button
            size="compact-sm"
            variant="default"
            loading={revoke.isPending}
            onClick={() => revoke.mutate()}
            aria-label={`Revoke the code for ${code.siteName}`}
          >
            Revoke
          </Button>
        )}
      </div>
      <div className={css.wide}>
        <CodeLife code={code} />
        {code.disputed && (
          <Note tone="bad" title="Disputed: a second key presented this code.">
            Its claim is blocked. Find out which box is real before anything is approved.
          </Note>
        )}
        {code.typedLocked && isCodeOpen(code) && (
          <Note tone="warn" title="The typed form is locked: somebody guessed wrong five times.">
            The QR form still works. If nobody of yours mistyped it, revoke this code and make a new one.
          </Note>
        )}
        {revoke.isError && <ErrorNote what="The code was not revoked" error={revoke.error} />}
      </div>
    </li>
  );
}
