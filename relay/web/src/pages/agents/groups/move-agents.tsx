import { Button, NativeSelect } from '@mantine/core';
import { useState } from 'react';
import type { Agent } from '../../../api/types.ts';
import { formatCount } from '../../../clock/format.ts';
import { ErrorNote } from '../../../components/error-note.tsx';
import { may } from '../../../session/rights.ts';
import { useSession } from '../../../session/session-gate.tsx';
import pageCss from '../agents-page.module.css';
import { useGroups, useMoveAgents } from './use-groups.ts';

const NONE = 'none';
const groupOf = (value: string): string | null => (value === NONE ? null : value);

function useChoices(siteId: string) {
  return [...useGroups(siteId).map(({ id, name }) => ({ value: id, label: name })), { value: NONE, label: 'No group' }];
}

/** Puts the selected into one group, or out of theirs. */
export function BulkGroup({ siteId, agentIds }: { siteId: string; agentIds: string[] }) {
  const { role } = useSession();
  const choices = useChoices(siteId);
  const move = useMoveAgents(siteId);
  const [chosen, setChosen] = useState<string | null>(null);
  if (!may(role, 'configure') || agentIds.length === 0 || choices.length === 1) return null;
  const value = choices.find((choice) => choice.value === chosen)?.value ?? choices[0]?.value ?? NONE;
  return (
    <>
      <span className={pageCss.inline}>
        <NativeSelect
          size="sm"
          aria-label="Group for the selected"
          data={choices}
          value={value}
          onChange={(event) => setChosen(event.currentTarget.value)}
        />
        <Button
          variant="default"
          loading={move.isPending}
          onClick={() => move.mutate({ agentIds, groupId: groupOf(value) })}
        >
          Put {formatCount(agentIds.length)} selected there
        </Button>
      </span>
      {move.isSuccess && (
        <span className="small dim" role="status">
          Moved. A tier that changes by it is in force once the box says so.
        </span>
      )}
      {move.isError && <ErrorNote what="Not all of them were moved; the list shows where each is" error={move.error} />}
    </>
  );
}

/** The group of one workstation; nothing where there are none to choose from. */
export function GroupControl({ siteId, agent }: { siteId: string; agent: Agent }) {
  const choices = useChoices(siteId);
  const move = useMoveAgents(siteId);
  if (choices.length === 1) return null;
  return (
    <>
      <NativeSelect
        size="sm"
        label={`Group of ${agent.hostname}`}
        data={choices}
        value={agent.groupId ?? NONE}
        disabled={move.isPending}
        onChange={(event) => move.mutate({ agentIds: [agent.id], groupId: groupOf(event.currentTarget.value) })}
      />
      {move.isError && <ErrorNote what="The group was not changed and is shown as before" error={move.error} />}
    </>
  );
}
