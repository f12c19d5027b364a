import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { siteSearchQuery } from '../../api/queries/sites.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Icon } from '../../icons/icon.tsx';
import css from './provisioning.module.css';

/** `count` 0: the field is empty. */
export interface LabelWish {
  siteId: string;
  name: string;
  count: number;
}

interface LabelSitesProps {
  wishes: LabelWish[];
  onChange: (wishes: LabelWish[]) => void;
}

/** Sites are added by searching for them, one label each until somebody says more. */
export function LabelSites({ wishes, onChange }: LabelSitesProps) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 200);
  const sites = useQuery(siteSearchQuery(search));
  const isTaken = (id: string) => wishes.some((wish) => wish.siteId === id);
  const found = (sites.data?.sites ?? []).filter((site) => !isTaken(site.id));
  const add = (siteId: string | null) => {
    const site = found.find((one) => one.id === siteId);
    if (site) onChange([...wishes, { siteId: site.id, name: `${site.name}, ${site.clientName}`, count: 1 }]);
    setText('');
  };
  const change = (siteId: string, count: number) =>
    onChange(wishes.map((wish) => (wish.siteId === siteId ? { ...wish, count } : wish)));
  return (
    <>
      <Select
        label="Add a site"
        placeholder="Search sites and clients"
        searchable
        data={found.map((site) => ({ value: site.id, label: `${site.name}, ${site.clientName}` }))}
        value={null}
        onChange={add}
        searchValue={text}
        onSearchChange={setText}
        // The relay searches; what it found is shown as it is.
        filter={({ options }) => options}
        nothingFoundMessage={sites.isFetching ? 'Searching' : 'No other site named like this.'}
      />
      {sites.isError && <ErrorNote what="The sites could not be searched" error={sites.error} />}
      {wishes.length === 0 ? (
        <p className="dim small">No site is chosen. Each label leads one box to one site, and works once.</p>
      ) : (
        <ul aria-label="Labels to print">
          {wishes.map(({ siteId, name, count }) => (
            <li key={siteId} className={css.wish}>
              <span className={css.name}>{name}</span>
              <TextInput
                type="number"
                size="xs"
                className={css.count}
                aria-label={`Labels for ${name}`}
                min={1}
                max={100}
                required
                value={count === 0 ? '' : count}
                onChange={(event) => change(siteId, Math.max(0, Math.trunc(Number(event.currentTarget.value)) || 0))}
              />
              <Button
                size="compact-sm"
                variant="default"
                aria-label={`Remove ${name}`}
                onClick={() => onChange(wishes.filter((wish) => wish.siteId !== siteId))}
              >
                <Icon name="cross" size={14} />
              </Button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
