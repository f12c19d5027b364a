import { MultiSelect } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { siteSearchQuery } from '../../api/queries/sites.ts';

interface Site {
  id: string;
  name: string;
}

/** Sites a technician may claim at. The relay searches among thousands; what is chosen keeps its name. */
export function SitesSelect({ sites, onChange }: { sites: readonly Site[]; onChange: (sites: Site[]) => void }) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 200);
  const found = useQuery(siteSearchQuery(search));
  const known = new Map(sites.map(({ id, name }) => [id, name]));
  const data = sites.map(({ id, name }) => ({ value: id, label: name }));
  for (const { id, name, clientName } of found.data?.sites ?? []) {
    if (known.has(id)) continue;
    known.set(id, name);
    data.push({ value: id, label: `${name}, ${clientName}` });
  }
  return (
    <MultiSelect
      label="Sites"
      description="Where this technician may claim boxes. Without one they see nothing."
      placeholder="Search sites and clients"
      searchable
      data={data}
      value={sites.map(({ id }) => id)}
      onChange={(ids) => onChange(ids.map((id) => ({ id, name: known.get(id) ?? id })))}
      searchValue={text}
      onSearchChange={setText}
      hidePickedOptions
      // The relay searches; what it found is shown as it is.
      filter={({ options }) => options}
      nothingFoundMessage={
        found.isFetching ? 'Searching' : found.isError ? 'The sites could not be loaded' : 'No site named like this'
      }
    />
  );
}
