import type { EvidenceState } from '../../../api/types.ts';
import { formatCount, plural } from '../../../clock/format.ts';
import { FactGrid } from '../../../components/fact-grid.tsx';
import { Note } from '../../../components/note.tsx';
import { TimeAgo } from '../../../components/time-ago.tsx';
import css from './evidence.module.css';

/** The relay's own verification of the log. */
export function LogState({ state }: { state: EvidenceState }) {
  const { lastFault } = state;
  return (
    <div className={css.state}>
      {state.mark === 'broken' ? (
        <Note tone="bad" role="alert" title="The log of this box does not fit what it signed before.">
          <p>{state.reason}</p>
          <p>Do not rely on its entries from here on. Keep the box as it is and find out who changed its log.</p>
        </Note>
      ) : (
        <p className="dim">{verdict(state)}</p>
      )}
      {lastFault && (
        <p className="small">
          Last refused <TimeAgo atMs={lastFault.atMs} />: {lastFault.message} <code>{lastFault.code}</code>
        </p>
      )}
      {state.mark !== 'none' && (
        <FactGrid
          rows={[
            {
              name: 'Entries',
              value: `${formatCount(state.receivedSize)} received, ${formatCount(state.cosignedSize)} cosigned`,
            },
            {
              name: 'Last cosigned',
              value: state.lastCosignedAtMs === null ? 'never' : <TimeAgo atMs={state.lastCosignedAtMs} />,
            },
            { name: 'Epoch', value: state.epoch },
            { name: 'Root', value: state.rootHash === null ? 'none yet' : <code>{state.rootHash}</code> },
          ]}
        />
      )}
    </div>
  );
}

/** From the figures beside it, so that the sentence never grows older than they do. */
function verdict({ mark, receivedSize, cosignedSize }: EvidenceState): string {
  const waiting = receivedSize - cosignedSize;
  if (mark === 'none') return 'No evidence was received yet.';
  if (waiting > 0)
    return `${plural(waiting, 'entry is', 'entries are')} not cosigned yet: until then the box could still rewrite them.`;
  if (waiting < 0)
    return `${plural(-waiting, 'cosigned entry', 'cosigned entries')} not received yet: the box still has to send them.`;
  return 'Every entry is cosigned: a change made later would be found.';
}
