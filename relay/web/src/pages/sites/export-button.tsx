import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { fetchSites, type SiteFilter } from '../../api/queries/sites.ts';
import type { SiteSummary } from '../../api/types.ts';
import { Icon } from '../../icons/icon.tsx';
import { saveFile } from '../../lib/save-file.ts';
import { sitesCsv } from './sites-csv.ts';

async function fetchAll(filter: SiteFilter) {
  const sites: SiteSummary[] = [];
  let cursor: string | null = null;
  let asOfMs = 0;
  do {
    const page = await fetchSites(filter, cursor);
    sites.push(...page.sites);
    asOfMs = page.asOfMs;
    cursor = page.nextCursor;
  } while (cursor !== null);
  return { sites, asOfMs };
}

/** Every row the filter finds, asked anew, as a table file. */
export function ExportButton({ filter }: { filter: SiteFilter }) {
  const save = useMutation({
    mutationFn: () => fetchAll(filter),
    onSuccess: ({ sites, asOfMs }) => {
      const stamp = new Date(asOfMs).toISOString().slice(0, 16).replace(':', '');
      saveFile(`sites-${stamp}Z.csv`, 'text/csv', sitesCsv(sites, asOfMs));
    },
  });
  return (
    <Button
      variant="default"
      leftSection={<Icon name="down" />}
      loading={save.isPending}
      onClick={() => save.mutate()}
      title={save.error ? `Nothing was saved. ${save.error.message}` : 'Save the rows of this filter as a CSV file'}
      data-failed={save.isError}
    >
      {save.isError ? 'Not saved, try again' : 'Export'}
    </Button>
  );
}
