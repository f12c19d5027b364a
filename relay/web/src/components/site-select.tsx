import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { siteQuery } from '../api/queries/site.ts';
import { siteSearchQuery } from '../api/queries/sites.ts';

interface SiteSelectProps {
  label?: string;
  siteId: string | null;
  onChange: (siteId: string | null) => void;
  /** Says what to do when no site is found. */
  missing: string;
  /** A site that is not offered. */
  except?: string;
}

/** One site, found by searching for it. */
export function SiteSelect({ label = 'Site', siteId, onChange, missing, except }: SiteSelectProps) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 200);
  const chosen = useQuery({ ...siteQuery(siteId ?? ''), enabled: siteId !== null });
  const chosenLabel = chosen.data && `${chosen.data.summary.name}, ${chosen.data.summary.clientName}`;
  const sites = useQuery(siteSearchQuery(text === chosenLabel ? '' : search));
  const found = (sites.data?.sites ?? []).filter((site) => site.id !== except);
  const data = found.map((site) => ({ value: site.id, label: `${site.name}, ${site.clientName}` }));
  if (siteId && chosenLabel && !found.some((site) => site.id === siteId))
    data.unshift({ value: siteId, label: chosenLabel });
  return (
    <Select
      label={label}
      placeholder="Search sites and clients"
      searchable
      clearable
      data={data}
      value={siteId}
      onChange={onChange}
      searchValue={text}
      onSearchChange={setText}
      // The relay searches; what it found is shown as it is.
      filter={({ options }) => options}
      nothingFoundMessage={sites.isFetching ? 'Searching' : missing}
    />
  );
}
