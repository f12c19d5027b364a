import { Button, Checkbox, NativeSelect } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { isApiError } from '../../api/api-error.ts';
import { keys } from '../../api/keys.ts';
import { printLabels } from '../../api/queries/provisioning.ts';
import { plural } from '../../clock/format.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';
import { Section } from '../../components/section.tsx';
import { Icon } from '../../icons/icon.tsx';
import { saveFile } from '../../lib/save-file.ts';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { LabelSites, type LabelWish } from './label-sites.tsx';
import { LIVES, PRE_APPROVED_LIFE } from './lives.ts';
import css from './provisioning.module.css';

const MAX_LABELS = 100;
type Paper = 'a4' | 'letter';

/** Codes for many boxes at once, on paper. The relay keeps only their hashes, so the file is the only copy. */
export function PrintLabels() {
  const { role } = useSession();
  const client = useQueryClient();
  const [wishes, setWishes] = useState<LabelWish[]>([]);
  const [minutes, setMinutes] = useState('10080');
  const [paper, setPaper] = useState<Paper>('a4');
  const [isPreApproved, setPreApproved] = useState(false);
  const mayPreApprove = may(role, 'approve') && minutes === PRE_APPROVED_LIFE;
  const count = wishes.reduce((sum, wish) => sum + wish.count, 0);
  const isTooMany = count > MAX_LABELS;
  const isReady = wishes.length > 0 && wishes.every((wish) => wish.count >= 1) && !isTooMany;
  const print = useMutation({
    mutationFn: () =>
      printLabels({
        labels: wishes.map(({ siteId, count }) => ({ siteId, count })),
        ttlMinutes: Number(minutes),
        preApproved: mayPreApprove && isPreApproved,
        paper,
      }),
    onSuccess: ({ name, pdf }) => {
      saveFile(name, 'application/pdf', pdf);
      setWishes([]);
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.codes }),
  });
  return (
    <Section id="labels" title="Print labels">
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !print.isPending) print.mutate();
        }}
      >
        <LabelSites wishes={wishes} onChange={setWishes} />
        <NativeSelect
          label="Labels work for"
          description="A box with a code that lives longer than 10 minutes always waits for an admin’s approval"
          data={LIVES}
          value={minutes}
          onChange={(event) => setMinutes(event.currentTarget.value)}
        />
        {mayPreApprove && (
          <Checkbox
            label="No approval for these labels"
            description="Only for sites that have no box yet"
            checked={isPreApproved}
            onChange={(event) => setPreApproved(event.currentTarget.checked)}
          />
        )}
        <NativeSelect
          label="Paper"
          data={[
            { value: 'a4', label: 'A4' },
            { value: 'letter', label: 'Letter' },
          ]}
          value={paper}
          onChange={(event) => setPaper(event.currentTarget.value as Paper)}
        />
        {isTooMany && (
          <Note tone="warn" role="alert" title={`${count} labels are too many for one sheet.`}>
            Lower the counts to {MAX_LABELS} in all, and print the rest in a second sheet.
          </Note>
        )}
        <Button type="submit" leftSection={<Icon name="printer" />} loading={print.isPending} disabled={!isReady}>
          {count === 0 ? 'Print the labels' : `Print ${plural(count, 'label')}`}
        </Button>
        <div role="status">
          {print.isPending && (
            <p className="dim small">Making {plural(count, 'code')} and drawing the sheet; this takes some seconds.</p>
          )}
          {print.data && (
            <Note tone="ok" title={`${print.data.name} was downloaded.`}>
              Print it at 100 %, then delete the file: it holds the codes, and they are kept nowhere else.
            </Note>
          )}
        </div>
        {print.isError && <ErrorNote what="No label was printed" error={print.error} />}
        {isApiError(print.error) && print.error.status === 0 && (
          <p className="small">
            Whether codes were made is not known. Look through the list of codes, revoke new ones, and print again.
          </p>
        )}
      </form>
    </Section>
  );
}
