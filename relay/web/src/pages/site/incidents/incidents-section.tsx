import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { incidentsQuery } from '../../../api/queries/site.ts';
import type { Incident } from '../../../api/types.ts';
import { plural } from '../../../clock/format.ts';
import { Choice } from '../../../components/choice.tsx';
import { EmptyState } from '../../../components/empty-state.tsx';
import { IncidentLine } from '../../../components/incident-line.tsx';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { ShortList } from '../../../components/short-list.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { SEVERITIES } from '../../../words/status.ts';

const CHOICES = [
  { value: 'open', word: 'Open' },
  { value: 'all', word: 'All' },
] as const;

/** Incidents and what was done about them. */
export function IncidentsSection({ siteId }: { siteId: string }) {
  const [params, setParams] = useSearchParams();
  const which = params.get('incidents') === 'all' ? 'all' : 'open';
  const incidents = useQuery(incidentsQuery(siteId, which));
  const choose = (value: 'open' | 'all') =>
    setParams(value === 'all' ? { incidents: 'all' } : {}, { replace: true, preventScrollReset: true });
  return (
    <Section
      id="incidents"
      title="Incidents"
      aside={
        <>
          {incidents.data && <Counts incidents={incidents.data.incidents} which={which} />}
          <Choice label="Which incidents" choices={CHOICES} value={which} onChange={choose} />
        </>
      }
    >
      <Loaded query={incidents} what="The incidents" skeleton={<RowsSkeleton rows={3} />}>
        {(list) =>
          list.incidents.length === 0 ? (
            <EmptyState small icon="check" title={which === 'open' ? 'No incident is open' : 'No incident so far'}>
              A failing check opens one here, with what was tried to repair it.
            </EmptyState>
          ) : (
            <ShortList items={[...list.incidents].sort(compareIncidents)} shown={10} noun="incident">
              {(shown) => shown.map((incident) => <IncidentLine key={incident.id} incident={incident} />)}
            </ShortList>
          )
        }
      </Loaded>
    </Section>
  );
}

/** What is not resolved first, then the worst, then the newest. */
const compareIncidents = (a: Incident, b: Incident) =>
  Number(a.state === 'resolved') - Number(b.state === 'resolved') ||
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
  b.openedAtMs - a.openedAtMs;

function Counts({ incidents, which }: { incidents: readonly Incident[]; which: 'open' | 'all' }) {
  const open = incidents.filter((incident) => incident.state !== 'resolved').length;
  return <span>{which === 'open' ? `${open} open` : `${plural(incidents.length, 'incident')}, ${open} open`}</span>;
}
