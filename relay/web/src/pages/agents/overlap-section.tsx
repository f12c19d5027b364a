import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { rmmQuery } from '../../api/queries/agents.ts';
import type { RmmOverlap } from '../../api/types.ts';
import { plural } from '../../clock/format.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Section } from '../../components/section.tsx';
import { ShortList } from '../../components/short-list.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { Tag } from '../../components/tag.tsx';
import { actionWords } from '../../words/work.ts';
import css from './overlap-section.module.css';

type Workstation = RmmOverlap['workstations'][number];

/** Which other tool manages a workstation too, and which of our repairs it would undo? */
export function OverlapSection({ siteId }: { siteId: string }) {
  const report = useQuery(rmmQuery(siteId));
  return (
    <Section id="overlap" title="Other management tools" aside={report.data && asideWords(report.data)}>
      <Loaded query={report} what="The report of other tools" skeleton={<RowsSkeleton rows={2} />}>
        {(data) => (data.workstations.length === 0 ? <NoTools data={data} /> : <Report siteId={siteId} data={data} />)}
      </Loaded>
    </Section>
  );
}

const asideWords = ({ workstations, cleanCount, neverLookedCount }: RmmOverlap): string =>
  `${workstations.length} with a tool, ${cleanCount} without${neverLookedCount > 0 ? `, ${neverLookedCount} never looked` : ''}`;

function NoTools({ data: { cleanCount, neverLookedCount } }: { data: RmmOverlap }) {
  if (cleanCount === 0)
    return (
      <EmptyState small icon="question" title="Nothing is known yet">
        {neverLookedCount > 0
          ? `${plural(neverLookedCount, 'agent has', 'agents have')} not looked for other tools yet; the first look comes with a report.`
          : 'Agents look for other management tools on their workstation; none has enrolled here.'}
      </EmptyState>
    );
  return (
    <EmptyState small icon="check" title="No other management tool was found">
      {plural(cleanCount, 'workstation')} looked at
      {neverLookedCount > 0 && `; ${plural(neverLookedCount, 'one has', 'others have')} never been looked at`}.
    </EmptyState>
  );
}

function Report({ siteId, data }: { siteId: string; data: RmmOverlap }) {
  return (
    <>
      <ul className={css.products}>
        {data.products.map(({ product, installed, running }) => (
          <li key={product}>
            <strong>{product}</strong>{' '}
            <span className="dim">
              on {installed}, runs on {running}
            </span>
          </li>
        ))}
      </ul>
      <ShortList items={data.workstations} shown={10} noun="workstation">
        {(shown) => (
          <ul>
            {shown.map((workstation) => (
              <WorkstationItem key={workstation.agentId} siteId={siteId} workstation={workstation} />
            ))}
          </ul>
        )}
      </ShortList>
    </>
  );
}

function WorkstationItem({ siteId, workstation }: { siteId: string; workstation: Workstation }) {
  const { agentId, host, tools, fights, rivals } = workstation;
  return (
    <li className={css.workstation}>
      <p>
        <Link to={`/sites/${siteId}/agents/${agentId}`}>{host}</Link>{' '}
        <span className="small">
          {tools
            .map(({ product, version, running }) => `${product} ${version} ${running ? '(runs)' : '(stands still)'}`)
            .join(', ')}
        </span>
      </p>
      {fights.length === 0 && <p className="small dim">It fights none of our actions.</p>}
      {fights.map(({ action, product, area, certainty, why }) => (
        <p key={`${action}/${product}/${area}`} className="small">
          <Tag
            bare
            sign={
              certainty === 'likely'
                ? { tone: 'warn', icon: 'triangle', word: 'Likely fights' }
                : { tone: 'info', icon: 'info', word: 'Could fight' }
            }
          />{' '}
          “{actionWords(action)}”: {product}. <span className="dim">{why}</span>
        </p>
      ))}
      {rivals.map(({ area, products }) => (
        <p key={area} className="small">
          <Tag bare sign={{ tone: 'warn', icon: 'triangle', word: 'They fight each other' }} /> over {areaWord(area)}:{' '}
          {products.join(', ')}.
        </p>
      ))}
    </li>
  );
}

const AREAS: Record<Workstation['rivals'][number]['area'], string> = {
  services: 'services',
  updates: 'updates',
  firewall: 'the firewall',
  antimalware: 'anti-malware',
  encryption: 'disk encryption',
  screenlock: 'the screen lock',
};
const areaWord = (area: keyof typeof AREAS): string => AREAS[area] ?? area;
