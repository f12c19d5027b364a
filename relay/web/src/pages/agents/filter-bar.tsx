import { Button, NativeSelect } from '@mantine/core';
import { memo, useCallback } from 'react';
import type { Agent, Group } from '../../api/types.ts';
import { SearchField } from '../../components/search-field.tsx';
import { type AgentFilter, choicesOf, FILTER_NAMES, type FilterName, isFiltered } from './agent-filter.ts';
import css from './agents-page.module.css';

interface FilterBarProps {
  agents: readonly Agent[];
  groups: readonly Group[];
  filter: AgentFilter;
  onChange: (change: Partial<Record<FilterName, string>>) => void;
}

export const FilterBar = memo(function FilterBar({ agents, groups, filter, onChange }: FilterBarProps) {
  const search = useCallback((text: string) => onChange({ search: text }), [onChange]);
  return (
    <search className={css.filters}>
      <div className={css.search}>
        <SearchField label="Search workstations" value={filter.search} onChange={search} />
      </div>
      {choicesOf(agents, groups).map(({ name, label, options }) => (
        <NativeSelect
          key={name}
          size="sm"
          label={label}
          value={filter[name]}
          data={[{ value: '', label: 'All' }, ...options]}
          onChange={(event) => onChange({ [name]: event.currentTarget.value })}
        />
      ))}
      {isFiltered(filter) && (
        <Button variant="default" onClick={() => onChange(Object.fromEntries(FILTER_NAMES.map((name) => [name, ''])))}>
          Clear the filters
        </Button>
      )}
    </search>
  );
});
