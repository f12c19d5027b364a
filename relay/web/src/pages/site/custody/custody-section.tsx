import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { keys } from '../../../api/keys.ts';
import { cancelMove, custodyQuery, withdrawRelease } from '../../../api/queries/custody.ts';
import type { Custody, Release } from '../../../api/types.ts';
import { Actor } from '../../../components/actor.tsx';
import { ErrorNote } from '../../../components/error-note.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Note } from '../../../components/note.tsx';
import { Section } from '../../../components/section.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { TimeAgo } from '../../../components/time-ago.tsx';
import { may } from '../../../session/rights.ts';
import { useSession } from '../../../session/session-gate.tsx';
import { RECEIPTS } from '../../../words/custody.ts';
import css from './custody.module.css';

/** Who has the box: a release under way, and the receipts of every box that left or came back. */
export function CustodySection({ siteId, hasBox }: { siteId: string; hasBox: boolean }) {
  const custody = useQuery(custodyQuery(siteId));
  const { role } = useSession();
  return (
    <Section id="custody" title="Release and receipts">
      <Loaded query={custody} what="The receipts" skeleton={<RowsSkeleton rows={1} height={40} />}>
        {({ release, arriving, receipts }) => (
          <div className={css.all}>
            {arriving.map((box) => (
              <Arriving key={box.dikFingerprint} siteId={siteId} box={box} mayEnd={may(role, 'approve')} />
            ))}
            {release && <Waiting siteId={siteId} release={release} mayUndo={may(role, 'order')} />}
            {receipts.length === 0 ? (
              <p className="dim">
                No box has come to this site yet. Each one has a receipt here when it comes and when it leaves.
              </p>
            ) : (
              <ul>
                {receipts.map((receipt) => (
                  <ReceiptLine key={receipt.receiptId} receipt={receipt} />
                ))}
              </ul>
            )}
            {hasBox && release === null && may(role, 'order') && (
              <div>
                <Button component={Link} to={`/sites/${siteId}/leave`} size="xs" variant="default">
                  Release the box
                </Button>
              </div>
            )}
          </div>
        )}
      </Loaded>
    </Section>
  );
}

function ReceiptLine({ receipt }: { receipt: Custody['receipts'][number] }) {
  return (
    <li className={css.line}>
      <Link to={`/receipts/${receipt.receiptId}`}>
        {RECEIPTS[receipt.kind].title}: box {receipt.box.serial}
      </Link>
      <span className="dim small">
        <TimeAgo atMs={receipt.atMs} /> by <Actor actor={receipt.by} />, {receipt.reason}
      </span>
    </li>
  );
}

function Arriving({ siteId, box, mayEnd }: { siteId: string; box: Custody['arriving'][number]; mayEnd: boolean }) {
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () => cancelMove(siteId, box.dikFingerprint),
    onSuccess: (next) => client.setQueryData(keys.custody(siteId), next),
    onError: () => client.invalidateQueries({ queryKey: keys.custody(siteId) }),
  });
  return (
    <Note
      tone="info"
      role="status"
      title={`Box ${box.serial} is on its way here.`}
      action={
        mayEnd && (
          <Button size="xs" variant="default" loading={end.isPending} onClick={() => end.mutate()}>
            Cancel the move
          </Button>
        )
      }
    >
      It left {box.fromSiteName ?? 'another company'} <TimeAgo atMs={box.sinceMs} /> and is this site's as soon as it
      asks the relay, which takes seconds. If it stays away, look at the box: its page says what is wrong.
      {end.isError && <ErrorNote what="The move was not cancelled" error={end.error} />}
    </Note>
  );
}

function Waiting({ siteId, release, mayUndo }: { siteId: string; release: Release; mayUndo: boolean }) {
  const client = useQueryClient();
  const undo = useMutation({
    mutationFn: () => withdrawRelease(siteId, release.id),
    onSuccess: (next) => client.setQueryData(keys.custody(siteId), next),
    onError: () => client.invalidateQueries({ queryKey: keys.custody(siteId) }),
  });
  if (release.state === 'delivered')
    return (
      <Note tone="info" role="status" title="The box has its release and closes its log.">
        It tells its agents, sends what is left and then leaves. This takes a minute where the line is good, and cannot
        be taken back any more.
      </Note>
    );
  return (
    <Note
      tone="warn"
      role="status"
      title={release.to === null ? 'The box is to be released.' : `The box is to move to ${release.to.siteName}.`}
      action={
        mayUndo && (
          <Button size="xs" variant="default" loading={undo.isPending} onClick={() => undo.mutate()}>
            Take it back
          </Button>
        )
      }
    >
      <p>
        Asked <TimeAgo atMs={release.orderedAtMs} /> by <Actor actor={release.by} />: {release.reason}. The box hears of
        it at its next check-in.
      </p>
      {undo.isError && <ErrorNote what="The release was not taken back" error={undo.error} />}
    </Note>
  );
}
