import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { siteSearchQuery } from '../../api/queries/sites.ts';
import type { Role, SiteList, SiteSummary } from '../../api/types.ts';
import { plural } from '../../clock/format.ts';
import { Loaded } from '../../components/loaded.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { Icon } from '../../icons/icon.tsx';
import { useSession } from '../../session/session-gate.tsx';
import css from './site-picker.module.css';

interface SitePickerProps {
  chosen: SiteSummary | null;
  onChoose: (site: SiteSummary) => void;
}

export function SitePicker({ chosen, onChoose }: SitePickerProps) {
  const { role } = useSession();
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 200);
  const sites = useQuery(siteSearchQuery(search));
  return (
    <div className={css.picker}>
      <TextInput
        data-search
        type="search"
        size="md"
        aria-label="Search sites and clients"
        placeholder="Search sites and clients"
        maxLength={100}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        leftSection={<Icon name="search" />}
      />
      <Loaded query={sites} what="The sites" skeleton={<RowsSkeleton rows={4} height={52} />}>
        {(list) => (
          <>
            <div role="radiogroup" aria-label="Site" className={css.list}>
              {withoutBoxFirst(list.sites).map((site) => (
                <label key={site.id} className={css.site}>
                  <input
                    type="radio"
                    name="site"
                    value={site.id}
                    checked={chosen?.id === site.id}
                    onChange={() => onChoose(site)}
                  />
                  <span>
                    <span className={css.name}>{site.name}</span>
                    <span className="dim small">
                      {site.clientName}
                      {site.applianceId ? ', has a box' : ''}
                    </span>
                  </span>
                </label>
              ))}
            </div>
            <p className="dim small">{foundWords(list, { search, role })}</p>
          </>
        )}
      </Loaded>
    </div>
  );
}

/** A new box is most likely for a site that has none. */
const withoutBoxFirst = (sites: readonly SiteSummary[]) =>
  [...sites].sort(
    (a, b) => Number(Boolean(a.applianceId)) - Number(Boolean(b.applianceId)) || a.name.localeCompare(b.name),
  );

function foundWords({ sites, totals: { all } }: SiteList, { search, role }: { search: string; role: Role }): string {
  const shown = sites.length;
  if (all === 0 && role === 'technician') {
    const which = search === '' ? 'No site was given to you' : `No site given to you is named like “${search}”`;
    return `${which}. Ask an admin of your MSP to give it to you under People.`;
  }
  if (all === 0 && search === '') return 'No site yet. An admin makes one under Provisioning.';
  if (all === 0) return `No site named like “${search}”. Check the spelling, or ask an admin to make the site.`;
  return shown < all
    ? `${shown} of ${plural(all, 'site')}. Type part of the name to find others.`
    : plural(all, 'site');
}
