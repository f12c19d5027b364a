import { useQuery } from '@tanstack/react-query';
import { ordersQuery } from '../../../api/queries/site.ts';
import type { Agent, Check } from '../../../api/types.ts';
import { Disclosure } from '../../../components/disclosure.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { may } from '../../../session/rights.ts';
import { useSession } from '../../../session/session-gate.tsx';
import { checkTitle } from '../../../words/checks.ts';
import { ORDERABLE, REPAIRS, type RepairAction, repairsFor } from '../../../words/repairs.ts';
import { isOrderOpen } from '../../../words/work.ts';
import { OneRepair } from './one-repair.tsx';
import { latestOf } from './repair-block.ts';
import css from './repairs.module.css';

interface CheckRepairsProps {
  siteId: string;
  agent: Agent;
  check: Check;
}

const serviceOf = ({ check, subject }: Check) => (check === 'services' && subject !== '' ? subject : undefined);

/** Beside a failing check what would mend it; beside one that was mended lately the way back. */
export function CheckRepairs({ siteId, agent, check }: CheckRepairsProps) {
  const { role } = useSession();
  const orders = useQuery(ordersQuery(siteId));
  if (!may(role, 'order') || agent.state !== 'active') return null;
  const service = serviceOf(check);
  const isRecent = (action: RepairAction): boolean => {
    if (REPAIRS[action].check !== check.check || orders.data === undefined) return false;
    const wish = { agentId: agent.id, action, service };
    const { last, undoable, undo } = latestOf(orders.data.orders, wish, orders.data.asOfMs);
    return undoable !== undefined || [last, undo].some((order) => order !== undefined && isOrderOpen(order));
  };
  const fits = repairsFor(check);
  const [first, ...others] = fits.length > 0 ? fits : ORDERABLE.filter(isRecent);
  if (first === undefined) return null;
  const subject = `${checkTitle(check.check)}${service ? ` ${service}` : ''}`;
  return (
    <section className={css.panel} aria-label={`Repairs of ${subject}`}>
      <p className={css.title}>
        {fits.length > 0 ? 'What would mend it: ' : 'Repaired lately: '}
        {REPAIRS[first].name}
      </p>
      <Loaded query={orders} what="The orders" skeleton={<RowsSkeleton rows={1} />}>
        {(list) => (
          <>
            <OneRepair
              key={first}
              siteId={siteId}
              agent={agent}
              action={first}
              orders={list}
              service={service}
              isMended={check.status === 'pass'}
            />
            {others.map((action) => (
              <Disclosure
                key={action}
                startsOpen={isRecent(action)}
                summary={<span className="small">Or: {REPAIRS[action].name}</span>}
              >
                <OneRepair siteId={siteId} agent={agent} action={action} orders={list} service={service} />
              </Disclosure>
            ))}
          </>
        )}
      </Loaded>
    </section>
  );
}
