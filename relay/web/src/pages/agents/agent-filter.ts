import { useCallback, useMemo } from 'react';
import type { Agent, Group } from '../../api/types.ts';
import { useUrlValues } from '../../lib/use-url-values.ts';
import { RESULT_STATE, resultState, systemWord, toolState } from '../../words/agents.ts';
import { CHECK_TITLES } from '../../words/checks.ts';
import { FLEET } from '../../words/status.ts';
import { TIERS } from '../../words/work.ts';

/** Names in the address; an empty value asks for all. */
export const FILTER_NAMES = ['search', 'results', 'heard', 'failing', 'tier', 'group', 'os', 'tool'] as const;
export type FilterName = (typeof FILTER_NAMES)[number];
export type AgentFilter = Record<FilterName, string>;

export interface FilterChoice {
  name: Exclude<FilterName, 'search'>;
  label: string;
  options: readonly { value: string; label: string }[];
}

const NO_GROUP = 'none';

const options = (words: Record<string, { word: string }>) =>
  Object.entries(words).map(([value, { word }]) => ({ value, label: word }));

/** The choices of the filters; systems and groups are those that are there. */
export function choicesOf(agents: readonly Agent[], groups: readonly Group[]): FilterChoice[] {
  const systems = [...new Set(agents.map(({ osFamily }) => osFamily))].sort();
  return [
    { name: 'results', label: 'Results', options: options(RESULT_STATE) },
    { name: 'heard', label: 'Heard', options: options(FLEET) },
    {
      name: 'failing',
      label: 'Failing check',
      options: Object.entries(CHECK_TITLES).map(([value, label]) => ({ value, label })),
    },
    { name: 'tier', label: 'Tier', options: TIERS.map(({ name }, tier) => ({ value: String(tier), label: name })) },
    ...(groups.length === 0
      ? []
      : [
          {
            name: 'group' as const,
            label: 'Group',
            options: [
              ...groups.map(({ id, name }) => ({ value: id, label: name })),
              { value: NO_GROUP, label: 'None' },
            ],
          },
        ]),
    { name: 'os', label: 'System', options: systems.map((value) => ({ value, label: systemWord(value) })) },
    {
      name: 'tool',
      label: 'Other tool',
      options: [
        { value: 'yes', label: 'Has one' },
        { value: 'no', label: 'Has none' },
        { value: 'unknown', label: 'Nobody looked' },
      ],
    },
  ];
}

const TESTS: Record<FilterName, (agent: Agent, wanted: string) => boolean> = {
  search: (agent, wanted) => textOf(agent).includes(wanted.trim().toLowerCase()),
  results: (agent, wanted) => resultState(agent) === wanted,
  heard: (agent, wanted) => agent.status.value === wanted,
  failing: (agent, wanted) => agent.checks.some(({ check, status }) => check === wanted && status === 'fail'),
  tier: (agent, wanted) => String(agent.tier) === wanted,
  group: (agent, wanted) => (agent.groupId ?? NO_GROUP) === wanted,
  os: (agent, wanted) => agent.osFamily === wanted,
  tool: (agent, wanted) => toolState(agent) === wanted,
};

const textOf = ({ hostname, osVersion, osFamily, agentVersion, id, rmm }: Agent): string =>
  [hostname, osVersion, osFamily, agentVersion, id, ...(rmm?.findings.map(({ product }) => product) ?? [])]
    .join('\n')
    .toLowerCase();

export const matches = (agent: Agent, filter: AgentFilter): boolean =>
  FILTER_NAMES.every((name) => filter[name] === '' || TESTS[name](agent, filter[name]));

export const isFiltered = (filter: AgentFilter): boolean => FILTER_NAMES.some((name) => filter[name] !== '');

/** The filter and the page live in the URL. */
export function useAgentFilter() {
  const [params, change] = useUrlValues();
  const filter = useMemo(
    () => Object.fromEntries(FILTER_NAMES.map((name) => [name, (params.get(name) ?? '').slice(0, 100)])) as AgentFilter,
    [params],
  );
  const set = useCallback(
    // Another filter begins at its first row.
    (wanted: Partial<Record<FilterName | 'page', string>>) => change({ page: '', ...wanted }),
    [change],
  );
  const page = Math.max(1, Number.parseInt(params.get('page') ?? '1', 10) || 1);
  return { filter, page, set };
}

/** Address of the list with only this filter. */
export const onlyPath = (siteId: string, name: FilterName, value: string): string =>
  `/sites/${siteId}/agents?${new URLSearchParams({ [name]: value })}`;
