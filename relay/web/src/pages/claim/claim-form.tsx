import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '../../api/keys.ts';
import { claimAtSiteQuery, claimBox } from '../../api/queries/claim.ts';
import type { ClaimSession, SiteSummary } from '../../api/types.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';
import { ReplacesBox } from '../../components/replaces-box.tsx';
import { may } from '../../session/rights.ts';
import type { ScannedClaim } from '../../session/scanned-claim.ts';
import { useSession } from '../../session/session-gate.tsx';
import css from './claim.module.css';
import { ConfirmationNumber } from './confirmation-number.tsx';
import { SitePicker } from './site-picker.tsx';

interface ClaimFormProps {
  claim: ScannedClaim;
  session: ClaimSession;
}

/** Compare the number, pick the site, claim. */
export function ClaimForm({ claim, session }: ClaimFormProps) {
  const client = useQueryClient();
  const [site, setSite] = useState<SiteSummary | null>(null);
  const [agreed, setAgreed] = useState<string | null>(null);
  const [isDifferent, setDifferent] = useState(false);
  const { number } = session;
  const { role } = useSession();
  const atSite = useQuery({ ...claimAtSiteQuery(claim, site?.id ?? ''), enabled: site !== null });
  const replaces = atSite.data?.replaces ?? null;
  const isAgreed = atSite.isSuccess && (replaces === null || replaces.applianceId === agreed);
  const send = useMutation({
    mutationFn: (chosen: { siteId: string; number: string; replaces?: string }) =>
      claimBox({ ...claim, ...chosen, session: session.session }),
    onSuccess: (next) => client.setQueryData([...keys.claimSession, session.session], next),
    // What it replaces may be another box by now.
    onError: () => client.invalidateQueries({ queryKey: keys.claimSession }),
  });
  return (
    <>
      <section className={css.part} aria-labelledby="box-title">
        <h2 id="box-title">1. Is this the box in front of you?</h2>
        <ConfirmationNumber session={session} />
        <button
          type="button"
          className={css.plain}
          aria-expanded={isDifferent}
          onClick={() => setDifferent(!isDifferent)}
        >
          The box shows another number
        </button>
        {isDifferent && (
          <Note tone="bad" role="alert" title="Then do not claim it.">
            You may have scanned the code of another box. Scan the code on this box again. If the numbers still differ,
            somebody may sit between the box and the relay: use another network and tell your MSP.
          </Note>
        )}
      </section>
      <section className={css.part} aria-labelledby="site-title">
        <h2 id="site-title">2. Which site is it for?</h2>
        <SitePicker chosen={site} onChoose={setSite} />
      </section>
      <section className={css.part}>
        {site && replaces && (
          <ReplacesBox
            box={replaces}
            siteName={site.name}
            agreed={agreed}
            onAgree={setAgreed}
            when={may(role, 'approve') ? 'With this claim' : 'When an admin approves this claim'}
          />
        )}
        {site && atSite.isError && (
          <ErrorNote
            what="It could not be found out whether the site has a box"
            error={atSite.error}
            onRetry={() => void atSite.refetch()}
          />
        )}
        <Button
          className={css.claim}
          size="md"
          fullWidth
          disabled={!site || number === null || isDifferent || !isAgreed}
          loading={send.isPending}
          onClick={() =>
            site &&
            number !== null &&
            send.mutate({ siteId: site.id, number, ...(replaces && { replaces: replaces.applianceId }) })
          }
        >
          The numbers are equal, claim
        </Button>
        {!site && <p className="dim small">Pick a site first.</p>}
        {send.isError && <ErrorNote what="The box was not claimed" error={send.error} />}
      </section>
    </>
  );
}
