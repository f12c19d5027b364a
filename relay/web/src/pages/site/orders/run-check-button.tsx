import { Button } from '@mantine/core';
import type { Agent } from '../../../api/types.ts';
import { ErrorNote } from '../../../components/error-note.tsx';
import { Icon } from '../../../icons/icon.tsx';
import { may } from '../../../session/rights.ts';
import { useSession } from '../../../session/session-gate.tsx';
import css from './orders.module.css';
import { useRunCheck } from './use-run-check.ts';

/** Orders the checks now, on one workstation or on all. Not shown to roles the relay would refuse. */
export function RunCheckButton({ siteId, agent }: { siteId: string; agent?: Agent }) {
  const { role } = useSession();
  const order = useRunCheck(siteId);
  if (!may(role, 'order')) return null;
  return (
    <div className={css.run}>
      <Button
        leftSection={<Icon name="play" size={13} />}
        variant={agent ? 'default' : 'filled'}
        size={agent ? 'xs' : 'sm'}
        loading={order.isPending}
        onClick={() => order.mutate(agent?.id)}
      >
        {agent ? `Run check on ${agent.hostname}` : 'Run check'}
      </Button>
      {order.isError && (
        <ErrorNote
          what="The order was not given and was taken off the list again"
          error={order.error}
          onRetry={() => order.mutate(agent?.id)}
        />
      )}
      {order.isSuccess && (
        <p className="small dim" role="status">
          Ordered. Its state follows live under Orders.
        </p>
      )}
    </div>
  );
}
