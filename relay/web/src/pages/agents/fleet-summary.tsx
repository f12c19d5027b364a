import { Link } from 'react-router';
import type { Agent } from '../../api/types.ts';
import { formatCount, plural } from '../../clock/format.ts';
import { Disclosure } from '../../components/disclosure.tsx';
import { Section } from '../../components/section.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { Tag } from '../../components/tag.tsx';
import { complianceWords, type FleetSummary, summarize } from '../../words/agents.ts';
import { CHECK_STATUS } from '../../words/checks.ts';
import { FLEET } from '../../words/status.ts';
import type { Sign } from '../../words/tone.ts';
import { TIERS } from '../../words/work.ts';
import { type FilterName, onlyPath } from './agent-filter.ts';
import css from './fleet-summary.module.css';

interface FleetSummaryProps {
  siteId: string;
  agents: readonly Agent[];
  asOfMs: number;
}

/** How the workstations are, counted from the rows below; each count leads to its rows. */
export function FleetSummarySection({ siteId, agents, asOfMs }: FleetSummaryProps) {
  const summary = summarize(agents);
  const count = (name: FilterName, value: string, sign: Sign, number: number) => (
    <Link key={value} to={onlyPath(siteId, name, value)} className={css.count} preventScrollReset>
      <strong>{formatCount(number)}</strong> <Tag sign={sign} bare />
    </Link>
  );
  return (
    <Section id="fleet" title="All workstations" aside={plural(summary.total, 'workstation')}>
      <div className={css.cards}>
        <Compliance summary={summary} />
        <div className={css.card}>
          <h3>Heard</h3>
          <div className={css.counts}>
            {(['online', 'stale', 'offline', 'pending'] as const).map((value) =>
              count('heard', value, FLEET[value], summary.statuses[value]),
            )}
          </div>
          {summary.longestAway && (
            <p className="small dim">
              Longest away is{' '}
              <Link to={`/sites/${siteId}/agents/${summary.longestAway.id}`}>{summary.longestAway.hostname}</Link>,{' '}
              {summary.longestAway.status.reason}.{' '}
              <StatusBadge status={summary.longestAway.status} asOfMs={asOfMs} bare />
            </p>
          )}
        </div>
        <div className={css.card}>
          <h3>Tiers in force</h3>
          <div className={css.counts}>
            {TIERS.map(({ name }, tier) =>
              count('tier', String(tier), { tone: 'neutral', icon: 'gear', word: name }, summary.tiers[tier] ?? 0),
            )}
          </div>
          {summary.tierWaits > 0 && (
            <p className="small dim">
              {plural(summary.tierWaits, 'workstation goes', 'workstations go')} by another tier than the one wanted:
              the box has not said otherwise yet.
            </p>
          )}
        </div>
        <div className={css.card}>
          <h3>Other management tools</h3>
          <div className={css.counts}>
            {count('tool', 'yes', { tone: 'warn', icon: 'wrench', word: 'have one' }, summary.tools.yes)}
            {count('tool', 'no', { tone: 'ok', icon: 'check', word: 'have none' }, summary.tools.no)}
            {count(
              'tool',
              'unknown',
              { tone: 'unknown', icon: 'question', word: 'never looked' },
              summary.tools.unknown,
            )}
          </div>
        </div>
      </div>
      <Meaning summary={summary} />
    </Section>
  );
}

function Compliance({ summary }: { summary: FleetSummary }) {
  const { applicable, pass, fail, unknown } = summary.results;
  const words = complianceWords(summary);
  return (
    <div className={css.card}>
      <h3>Compliance</h3>
      {words === null ? (
        <p>
          <Tag sign={CHECK_STATUS.unknown} /> <span className="dim">No result that applies has come in yet.</span>
        </p>
      ) : (
        <>
          <p className={css.figure}>{words}</p>
          <p className="small">
            {formatCount(pass)} of {plural(applicable, 'applicable result')} pass; {formatCount(fail)} fail,{' '}
            {formatCount(unknown)} unknown.
          </p>
        </>
      )}
    </div>
  );
}

function Meaning({ summary: { results, silent } }: { summary: FleetSummary }) {
  return (
    <Disclosure summary={<span className="small">What these numbers mean</span>}>
      <ul className={`small ${css.meaning}`}>
        <li>
          Compliance is the share of applicable results that pass. A result is one check on one workstation, for
          required services one of each service. A check that does not apply is left out. Unknown counts as not passed.
          It is rounded down: 100 % means no failing and no unknown result.
        </li>
        <li>
          Results of workstations that are not online count as they were reported last. Now{' '}
          {plural(results.ofAway, 'result is', 'results are')} from such ones.
        </li>
        <li>
          {plural(silent, 'workstation has', 'workstations have')} no applicable result at all: nothing of them is in
          the share.
        </li>
        <li>
          Online: a heartbeat younger than 5 min, and the box itself online. Stale: 5 to 15 min. Offline: older.
          Pending: never heard.
        </li>
      </ul>
    </Disclosure>
  );
}
