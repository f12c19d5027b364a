import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { codesQuery } from '../../api/queries/provisioning.ts';
import type { Code } from '../../api/types.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Section } from '../../components/section.tsx';
import { ShortList } from '../../components/short-list.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { CODE_STATE, isCodeOpen } from '../../words/work.ts';
import { CodeRow } from './code-row.tsx';
import css from './provisioning.module.css';

const STATES = Object.keys(CODE_STATE) as Code['state'][];

export function CodesSection() {
  const codes = useQuery(codesQuery);
  const [params, setParams] = useSearchParams();
  const state = STATES.find((one) => one === params.get('codes')) ?? null;
  const show = (next: string) =>
    setParams(
      (old) => {
        const changed = new URLSearchParams(old);
        if (next === '') changed.delete('codes');
        else changed.set('codes', next);
        return changed;
      },
      { replace: true },
    );
  const open = codes.data?.codes.filter(isCodeOpen).length ?? 0;
  return (
    <Section id="codes" title="Codes" aside={open > 0 && `${open} waiting for a box`}>
      <Loaded query={codes} what="The codes" skeleton={<RowsSkeleton rows={3} height={52} />}>
        {(list) =>
          list.codes.length === 0 ? (
            <EmptyState small icon="key" title="No code was made yet">
              A code leads one box to one site. Only its hash is kept here; the code itself is shown once, when it is
              made.
            </EmptyState>
          ) : (
            <>
              <StateFilter codes={list.codes} state={state} onChange={show} />
              <FilteredCodes codes={list.codes} state={state} onShowAll={() => show('')} />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

interface StateFilterProps {
  codes: readonly Code[];
  state: Code['state'] | null;
  onChange: (state: string) => void;
}

/** Counts come from the rows it filters. */
function StateFilter({ codes, state, onChange }: StateFilterProps) {
  const count = (one: Code['state']) => codes.filter((code) => code.state === one).length;
  return (
    <NativeSelect
      className={css.filter}
      size="xs"
      label="Codes to show"
      value={state ?? ''}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={[
        { value: '', label: `All (${codes.length})` },
        ...STATES.map((one) => ({ value: one, label: `${one[0]?.toUpperCase()}${one.slice(1)} (${count(one)})` })),
      ]}
    />
  );
}

function FilteredCodes({
  codes,
  state,
  onShowAll,
}: {
  codes: readonly Code[];
  state: Code['state'] | null;
  onShowAll: () => void;
}) {
  const found = state === null ? codes : codes.filter((code) => code.state === state);
  if (found.length === 0)
    return (
      <EmptyState
        small
        icon="key"
        title={`No code is ${state}`}
        action={
          <Button size="xs" variant="default" onClick={onShowAll}>
            Show all codes
          </Button>
        }
      >
        Codes in other states are hidden by the filter.
      </EmptyState>
    );
  return (
    <ShortList items={found} shown={15} noun="code">
      {(shown) => (
        <ul>
          {shown.map((code) => (
            <CodeRow key={code.id} code={code} />
          ))}
        </ul>
      )}
    </ShortList>
  );
}
