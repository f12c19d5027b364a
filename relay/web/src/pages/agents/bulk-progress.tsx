import { Button } from '@mantine/core';
import { plural } from '../../clock/format.ts';
import { relayClock } from '../../clock/relay-clock.ts';
import { Disclosure } from '../../components/disclosure.tsx';
import { FactsList } from '../../components/facts.tsx';
import { FactsCompare } from '../../components/facts-compare.tsx';
import { OrderState } from '../../components/order-state.tsx';
import { ShortList } from '../../components/short-list.tsx';
import { Tag } from '../../components/tag.tsx';
import type { Sign } from '../../words/tone.ts';
import { type Bulk, bulkTitle, endWords, isOver, type Target, tally } from './bulk.ts';
import css from './bulk-progress.module.css';

const UNSENT: Record<Exclude<Target['state'], 'sent'>, Sign> = {
  waiting: { tone: 'neutral', icon: 'dots', word: 'Not sent yet' },
  sending: { tone: 'neutral', icon: 'dots', word: 'Being sent' },
  refused: { tone: 'bad', icon: 'ban', word: 'Not taken by the relay' },
  given_up: { tone: 'neutral', icon: 'ban', word: 'Not sent' },
};

/** Where one order of a run is. */
export const TargetState = ({ target }: { target: Target }) =>
  target.state === 'sent' && target.order ? (
    <OrderState order={target.order} />
  ) : (
    <Tag sign={UNSENT[target.state as keyof typeof UNSENT] ?? UNSENT.sending} title={target.error || undefined} />
  );

interface BulkProgressProps {
  bulk: Bulk;
  onStop: () => void;
  onClose: () => void;
}

/** How far a run is, what became of each order, and the way to stop it. */
export function BulkProgress({ bulk, onStop, onClose }: BulkProgressProps) {
  const sum = tally(bulk, relayClock.nowMs() ?? 0);
  const name = bulkTitle(bulk);
  return (
    <section className={css.run} aria-label={name}>
      <div className={css.head}>
        <p role="status">
          <strong>{name}:</strong> {sum.ended} of {plural(sum.total, 'order')} ended
          <span className="dim">
            {sum.later > 0 && `, ${sum.later} wait for their window`}
            {sum.open > 0 && `, ${sum.open} on the way`}
            {sum.waiting > 0 && `, ${sum.waiting} not sent yet`}
          </span>
        </p>
        {isOver(sum) ? (
          <Button size="xs" variant="default" onClick={onClose}>
            Close
          </Button>
        ) : (
          sum.waiting > 0 && (
            <Button size="xs" variant="default" onClick={onStop}>
              Send no more
            </Button>
          )
        )}
      </div>
      <progress className={css.bar} value={sum.ended} max={sum.total} aria-label={`${name}: orders that ended`} />
      {endWords(sum) && <p className="small">{endWords(sum)}</p>}
      {sum.refused > 0 && (
        <p className="small">
          Not taken by the relay:{' '}
          {bulk.targets
            .filter(({ state }) => state === 'refused')
            .map(({ host }) => host)
            .join(', ')}
          . “Each order” says why.
        </p>
      )}
      {sum.waiting > 0 && (
        <p className="small dim">Orders that are not sent yet are given up when this page is left; the others go on.</p>
      )}
      <Disclosure summary={<span className="small">Each order</span>}>
        <ShortList items={[...bulk.targets].sort(compareTargets)} shown={20} noun="order">
          {(shown) => (
            <ul className={css.list}>
              {shown.map((target) => (
                <li key={target.agentId ?? 'all'}>
                  <span>{target.host}</span>
                  <TargetState target={target} />
                  {(target.error || target.order?.detail) && (
                    <span className={`small dim ${css.why}`}>{target.error || target.order?.detail}</span>
                  )}
                  {target.order?.before && (
                    <div className={css.why}>
                      <FactsCompare before={target.order.before} after={target.order.after ?? {}} />
                    </div>
                  )}
                  {target.order?.after && !target.order.before && (
                    <div className={css.why}>
                      <FactsList facts={target.order.after} />
                    </div>
                  )}
                </li>
              ))}
            </ul>
          )}
        </ShortList>
      </Disclosure>
    </section>
  );
}

const ORDER = ['refused', 'failed', 'indeterminate', 'expired', 'sending', 'started', 'delivered', 'queued', 'waiting'];

/** What did not go well first. */
function compareTargets(a: Target, b: Target): number {
  const place = ({ state, order }: Target) => {
    const at = ORDER.indexOf(state === 'sent' && order ? order.state : state);
    return at < 0 ? ORDER.length : at;
  };
  return place(a) - place(b) || a.host.localeCompare(b.host);
}
