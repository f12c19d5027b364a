import { Button } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { Agent } from '../../api/types.ts';
import { formatCount, plural } from '../../clock/format.ts';
import { Note } from '../../components/note.tsx';
import { Icon } from '../../icons/icon.tsx';
import css from './agents-page.module.css';

interface RemoveAgentsProps {
  agents: readonly Agent[];
  /** How the button says whom it means: "ws-1", "3 selected". */
  whom: string;
  isBusy: boolean;
  onRemove: (agents: readonly Agent[]) => void;
}

/** Says what a removal does before it is ordered. */
export function RemoveAgents({ agents, whom, isBusy, onRemove }: RemoveAgentsProps) {
  const [isAsking, setAsking] = useState(false);
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isAsking) cancel.current?.focus();
  }, [isAsking]);
  if (!isAsking)
    return (
      <Button
        size="xs"
        variant="default"
        leftSection={<Icon name="ban" size={13} />}
        disabled={isBusy}
        onClick={() => setAsking(true)}
      >
        Remove {whom}
      </Button>
    );
  const away = agents.filter(({ status }) => status.value !== 'online').length;
  const isOne = agents.length === 1;
  return (
    <div className={css.ask}>
      <Note tone="warn" role="alert" title={`Remove ${isOne ? agents[0]?.hostname : plural(agents.length, 'agent')}?`}>
        <p>
          As soon as the box has the order it no longer lets {isOne ? 'this agent' : 'these agents'} in, and takes back
          the certificate. The agent stops at its next contact and says so on the workstation; one that is off is told
          when it comes back.
          {away > 0 && (isOne ? ' It is not online now.' : ` Not online now: ${formatCount(away)}.`)} Its checks leave
          this list; incidents and evidence stay. To have it back, enrol it with a new token. If the box does not get
          the order within an hour, the order runs out and nothing is removed.
        </p>
        <div className={css.actions}>
          <Button
            size="xs"
            disabled={isBusy}
            onClick={() => {
              setAsking(false);
              onRemove(agents);
            }}
          >
            Yes, remove {isOne ? agents[0]?.hostname : formatCount(agents.length)}
          </Button>
          <Button ref={cancel} size="xs" variant="default" onClick={() => setAsking(false)}>
            Cancel
          </Button>
        </div>
      </Note>
    </div>
  );
}
