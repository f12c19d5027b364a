import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Agent, Group } from '../../../api/types.ts';
import { formatCount, plural } from '../../../clock/format.ts';
import { ErrorNote } from '../../../components/error-note.tsx';
import { TIERS } from '../../../words/work.ts';
import { onlyPath } from '../agent-filter.ts';
import { Confirm } from '../repairs/repair-steps.tsx';
import css from './groups.module.css';
import { GROUP_TIERS, groupTierOf, groupTierValue, useChangeGroup } from './use-groups.ts';

interface GroupRowProps {
  siteId: string;
  group: Group;
  /** Those of the list that are in it. */
  agents: readonly Agent[];
  canSet: boolean;
}

/** One group: who is in it, what its tier is and for how many it counts; admins change all of that. */
export function GroupRow({ siteId, group, agents, canSet }: GroupRowProps) {
  const change = useChangeGroup(siteId);
  const [mode, setMode] = useState<'rename' | 'remove' | null>(null);
  const tier = group.tier === null ? null : TIERS[group.tier];
  return (
    <li className={css.group} data-group={group.id}>
      <div className={css.head}>
        <div>
          <p className={css.title}>{group.name}</p>
          <p className="small">
            <Link to={onlyPath(siteId, 'group', group.id)} preventScrollReset>
              {plural(agents.length, 'workstation')}
            </Link>
            <span className="dim">
              , {tier ? `${tier.name}: ${tier.does}` : 'no tier of its own: as the site'}
              {goesBeforeWords(agents)}
            </span>
          </p>
        </div>
        {canSet && (
          <div className={css.controls}>
            <NativeSelect
              size="sm"
              aria-label={`Tier of the group ${group.name}`}
              data={GROUP_TIERS}
              value={groupTierValue(group.tier)}
              disabled={change.isPending}
              onChange={(event) =>
                change.mutate({ groupId: group.id, change: { tier: groupTierOf(event.currentTarget.value) } })
              }
            />
            <Button
              size="xs"
              variant="default"
              aria-expanded={mode === 'rename'}
              aria-label={`Rename ${group.name}`}
              onClick={() => setMode(mode === 'rename' ? null : 'rename')}
            >
              Rename
            </Button>
            <Button
              size="xs"
              variant="default"
              aria-expanded={mode === 'remove'}
              aria-label={`Delete ${group.name}`}
              onClick={() => setMode('remove')}
            >
              Delete
            </Button>
          </div>
        )}
      </div>
      {mode === 'rename' && (
        <Rename
          name={group.name}
          isBusy={change.isPending}
          onRename={(name) =>
            change.mutate({ groupId: group.id, change: { name } }, { onSuccess: () => setMode(null) })
          }
        />
      )}
      {mode === 'remove' && (
        <Confirm
          question={`Delete the group ${group.name}?`}
          text={`Its workstations (${formatCount(agents.length)}) stay and follow the tier of the site, unless they have one of their own.`}
          yes="Yes, delete the group"
          isOff={change.isPending}
          onYes={() => change.mutate({ groupId: group.id, remove: true })}
          onClose={() => setMode(null)}
        />
      )}
      {change.isError && <ErrorNote what="The group was not changed and is shown as before" error={change.error} />}
    </li>
  );
}

/** How many of them have a tier of their own, before which that of the group does not count. */
function goesBeforeWords(agents: readonly Agent[]): string {
  const own = agents.filter(({ tierFrom }) => tierFrom === 'agent').length;
  return own === 0 ? '' : `. For ${plural(own, 'workstation')} its own tier goes before it`;
}

function Rename({ name, isBusy, onRename }: { name: string; isBusy: boolean; onRename: (name: string) => void }) {
  const [value, setValue] = useState(name);
  const wanted = value.trim();
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted !== '' && wanted !== name) onRename(wanted);
      }}
    >
      <TextInput
        className={css.name}
        label={`New name of ${name}`}
        maxLength={120}
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" disabled={wanted === '' || wanted === name} loading={isBusy}>
        Save the name
      </Button>
    </form>
  );
}
