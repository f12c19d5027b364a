import { useMemo } from 'react';
import type { SiteFilter } from '../../api/queries/sites.ts';
import type { Health } from '../../api/types.ts';
import { useUrlValues } from '../../lib/use-url-values.ts';
import { HEALTHS } from '../../words/status.ts';

const isHealth = (value: string | null): value is Health => HEALTHS.includes(value as Health);

/** The filter lives in the URL. */
export function useSiteFilter(): [SiteFilter, (change: Partial<SiteFilter>) => void] {
  const [params, change] = useUrlValues();
  const filter = useMemo((): SiteFilter => {
    const health = params.get('health');
    return { search: (params.get('search') ?? '').slice(0, 100), health: isHealth(health) ? health : null };
  }, [params]);
  return [filter, change];
}

/** Address of the list with another health filter, the rest kept. */
export function filterPath(filter: SiteFilter, health: Health | null): string {
  const params = new URLSearchParams();
  if (filter.search) params.set('search', filter.search);
  if (health) params.set('health', health);
  const query = params.toString();
  return query ? `/?${query}` : '/';
}
