import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { keys } from '../../api/keys.ts';
import { invitesQuery, revokeInvite } from '../../api/queries/people.ts';
import type { Invite } from '../../api/types.ts';
import { plural } from '../../clock/format.ts';
import { Actor } from '../../components/actor.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorNote } from '../../components/error-note.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Section } from '../../components/section.tsx';
import { ShortList } from '../../components/short-list.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { Tag } from '../../components/tag.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { INVITE_STATE, ROLE_WORDS } from '../../words/people.ts';
import css from './people.module.css';

const isOpen = (invite: Invite) => invite.state === 'open';

/** Those that still let somebody in first. */
export function InvitesSection() {
  const invites = useQuery(invitesQuery);
  const open = invites.data?.invites.filter(isOpen).length ?? 0;
  return (
    <Section id="invites" title="Invites" aside={open > 0 && `${open} not accepted yet`}>
      <Loaded query={invites} what="The invites" skeleton={<RowsSkeleton rows={2} height={52} />}>
        {(list) =>
          list.invites.length === 0 ? (
            <EmptyState small icon="key" title="Nobody was invited yet">
              An invite is a link that works once and for 7 days. You hand it over yourself.
            </EmptyState>
          ) : (
            <ShortList
              items={list.invites.toSorted((a, b) => Number(isOpen(b)) - Number(isOpen(a)))}
              shown={15}
              noun="invite"
            >
              {(shown) => (
                <ul>
                  {shown.map((invite) => (
                    <InviteRow key={invite.id} invite={invite} />
                  ))}
                </ul>
              )}
            </ShortList>
          )
        }
      </Loaded>
    </Section>
  );
}

function InviteRow({ invite }: { invite: Invite }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeInvite(invite.id),
    onSettled: () => client.invalidateQueries({ queryKey: keys.invites }),
  });
  const { name, email, role, siteIds, state } = invite;
  return (
    <li className={css.row}>
      <div>
        <p className={css.name}>{name}</p>
        <p className="dim small">
          {email}, {ROLE_WORDS[role].word.toLowerCase()}
          {role === 'technician' && ` at ${plural(siteIds.length, 'site')}`}, by <Actor actor={invite.createdBy} />{' '}
          <TimeAgo atMs={invite.createdAtMs} />
          {state === 'open' && (
            <>
              , ends <TimeAgo atMs={invite.expiresAtMs} />
            </>
          )}
        </p>
      </div>
      <div className={css.inline}>
        <Tag sign={INVITE_STATE[state]} />
        {state === 'open' && (
          <Button
            size="compact-sm"
            variant="default"
            loading={revoke.isPending}
            onClick={() => revoke.mutate()}
            aria-label={`Take back the invite for ${name}`}
          >
            Take back
          </Button>
        )}
      </div>
      {revoke.isError && (
        <div className={css.wide}>
          <ErrorNote what="The invite was not taken back" error={revoke.error} />
        </div>
      )}
    </li>
  );
}
