import { Button, Checkbox, NativeSelect } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '../../api/keys.ts';
import { createCode } from '../../api/queries/provisioning.ts';
import { siteQuery } from '../../api/queries/site.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';
import { ReplacesBox } from '../../components/replaces-box.tsx';
import { Section } from '../../components/section.tsx';
import { SiteSelect } from '../../components/site-select.tsx';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { CodeLabel } from './code-label.tsx';
import { LIVES, PRE_APPROVED_LIFE } from './lives.ts';
import css from './provisioning.module.css';

/** A code is seen once, here; the relay keeps only its hash. */
export function MakeCode({ wantedSiteId }: { wantedSiteId: string | null }) {
  const { role } = useSession();
  const client = useQueryClient();
  const [siteId, setSiteId] = useState(wantedSiteId);
  const [minutes, setMinutes] = useState(PRE_APPROVED_LIFE);
  const [isPreApproved, setPreApproved] = useState(false);
  const [agreed, setAgreed] = useState<string | null>(null);
  const site = useQuery({ ...siteQuery(siteId ?? ''), enabled: siteId !== null });
  const box = site.data?.appliance ?? null;
  const mayPreApprove = may(role, 'approve') && minutes === PRE_APPROVED_LIFE;
  const isPreApproval = mayPreApprove && isPreApproved;
  const isAgreed = !isPreApproval || (site.isSuccess && (box === null || box.id === agreed));
  const make = useMutation({
    mutationFn: (forSite: string) =>
      createCode({
        siteId: forSite,
        ttlMinutes: Number(minutes),
        preApproved: isPreApproval,
        ...(isPreApproval && box && { replaces: box.id }),
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.codes }),
    // The site may have got another box meanwhile.
    onError: () => client.invalidateQueries({ queryKey: keys.site(siteId ?? '') }),
  });
  if (make.data)
    return (
      <Section id="code" title="Take this along">
        <CodeLabel created={make.data} onDone={make.reset} />
      </Section>
    );
  return (
    <Section id="code" title="Make a code for a box">
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (siteId && isAgreed) make.mutate(siteId);
        }}
      >
        <SiteSelect siteId={siteId} onChange={setSiteId} missing="No site named like this. Make it below." />
        <NativeSelect
          label="Works for"
          data={LIVES}
          value={minutes}
          onChange={(event) => setMinutes(event.currentTarget.value)}
        />
        {may(role, 'approve') && (
          <Checkbox
            label="Pre-approved"
            description={
              minutes === PRE_APPROVED_LIFE
                ? 'The box gets its config without a further approval'
                : 'Only a code of 10 minutes can be pre-approved'
            }
            checked={mayPreApprove && isPreApproved}
            disabled={!mayPreApprove}
            onChange={(event) => setPreApproved(event.currentTarget.checked)}
          />
        )}
        {site.data && box && isPreApproval && (
          <ReplacesBox
            box={{ applianceId: box.id, serial: box.serial, lastCheckinAtMs: box.lastCheckinAtMs }}
            siteName={site.data.summary.name}
            agreed={agreed}
            onAgree={setAgreed}
            when="As soon as a box brings this code"
          />
        )}
        {site.data && box && !isPreApproval && (
          <Note tone="warn" title={`${site.data.summary.name} already has a box.`}>
            A box that brings this code takes the place of {box.serial} once an admin has approved it.
          </Note>
        )}
        <Button type="submit" loading={make.isPending} disabled={!siteId || !isAgreed}>
          Make the code
        </Button>
        {make.isError && <ErrorNote what="No code was made" error={make.error} />}
      </form>
    </Section>
  );
}
