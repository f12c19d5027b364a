import { useQuery } from '@tanstack/react-query';
import { groupsQuery } from '../../../api/queries/agents.ts';
import type { Agent } from '../../../api/types.ts';
import { plural } from '../../../clock/format.ts';
import { EmptyState } from '../../../components/empty-state.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { ShortList } from '../../../components/short-list.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { may } from '../../../session/rights.ts';
import { useSession } from '../../../session/session-gate.tsx';
import { GroupRow } from './group-row.tsx';
import css from './groups.module.css';
import { MakeGroup } from './make-group.tsx';

/** Which workstations share a tier, and how far may agents go there? */
export function GroupsSection({ siteId, agents }: { siteId: string; agents: readonly Agent[] }) {
  const { role } = useSession();
  const groups = useQuery(groupsQuery(siteId));
  const canSet = may(role, 'configure');
  return (
    <Section id="groups" title="Groups" aside={groups.data && plural(groups.data.groups.length, 'group')}>
      <Loaded query={groups} what="The groups" skeleton={<RowsSkeleton rows={2} />}>
        {(list) => (
          <div className={css.groups}>
            {list.groups.length === 0 ? (
              <EmptyState small icon="list" title="No group yet">
                A group gives its workstations one tier.{' '}
                {canSet ? 'Make one, then put' : 'An admin makes them and puts'} workstations into it by selecting them
                in the list.
              </EmptyState>
            ) : (
              <ShortList items={list.groups} shown={10} noun="group">
                {(shown) => (
                  <ul>
                    {shown.map((group) => (
                      <GroupRow
                        key={group.id}
                        siteId={siteId}
                        group={group}
                        agents={agents.filter(({ groupId }) => groupId === group.id)}
                        canSet={canSet}
                      />
                    ))}
                  </ul>
                )}
              </ShortList>
            )}
            {canSet && <MakeGroup siteId={siteId} />}
            <p className="small dim">
              A workstation is in one group at most. Its own tier goes before that of its group, and that before the
              tier of the site.
            </p>
          </div>
        )}
      </Loaded>
    </Section>
  );
}
