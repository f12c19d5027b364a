import type { ClaimSession } from '../../api/types.ts';
import { FactGrid } from '../../components/fact-grid.tsx';
import { Note } from '../../components/note.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { BoxWay } from './box-way.tsx';
import css from './claim.module.css';

/** The number both screens must show, and what else tells boxes apart. */
export function ConfirmationNumber({ session }: { session: ClaimSession }) {
  const { number } = session;
  return (
    <>
      {session.disputed && (
        <Note tone="bad" role="alert" title="Two boxes presented this code.">
          The claim is blocked until staff have looked at it. Tell your MSP the serial below.
        </Note>
      )}
      <div className={css.number}>
        {number === null ? (
          <p role="status">The box is about to show its number. Keep this page open.</p>
        ) : (
          <>
            <p>The box must show this number:</p>
            <p className={css.digits} data-testid="number">
              <span>{number.slice(0, 4)}</span> <span>{number.slice(4)}</span>
            </p>
          </>
        )}
      </div>
      <FactGrid
        rows={[
          { name: 'Serial', value: session.serial },
          { name: 'Model', value: session.model },
          { name: 'Version', value: session.softwareVersion },
          { name: 'Code runs out', value: <TimeAgo atMs={session.expiresAtMs} /> },
        ]}
      />
      <BoxWay doctor={session.doctor} />
    </>
  );
}
