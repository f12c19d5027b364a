import { useQuery } from '@tanstack/react-query';
import { codesQuery } from '../../api/queries/provisioning.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Section } from '../../components/section.tsx';
import { ShortList } from '../../components/short-list.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { CodeRow } from './code-row.tsx';

export function CodesSection() {
  const codes = useQuery(codesQuery);
  const open = codes.data?.codes.filter((code) => code.state === 'created').length ?? 0;
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
            <ShortList items={list.codes} shown={15} noun="code">
              {(shown) => (
                <ul>
                  {shown.map((code) => (
                    <CodeRow key={code.id} code={code} />
                  ))}
                </ul>
              )}
            </ShortList>
          )
        }
      </Loaded>
    </Section>
  );
}
