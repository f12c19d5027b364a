import { Link } from 'react-router';
import type { SiteSummary } from '../../api/types.ts';
import { formatCount, formatDuration } from '../../clock/format.ts';
import { EvidenceMark } from '../../components/evidence-mark.tsx';
import { SeverityLine } from '../../components/severity.tsx';
import { HealthBadge, StatusBadge } from '../../components/status-badge.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import css from './site-table.module.css';

interface SiteRowProps {
  site: SiteSummary;
  asOfMs: number;
  canOpen: boolean;
}

export function SiteRow({ site, asOfMs, canOpen }: SiteRowProps) {
  return (
    <tr className={css.row}>
      <td className={css.health}>
        <HealthBadge health={site.health} reason={site.reason} />
        <StatusBadge status={site.status} asOfMs={asOfMs} bare />
      </td>
      <th scope="row" className={css.name}>
        {canOpen ? (
          <Link to={`/sites/${site.id}`} className={css.link}>
            {site.name}
          </Link>
        ) : (
          site.name
        )}
        <span className={css.client}>{site.clientName}</span>
      </th>
      <td className={css.why}>
        <span>
          {site.reason}
          {site.sinceMs !== null && (
            <span className="dim">
              {' '}
              Since <TimeAgo atMs={site.sinceMs} quiet />.
            </span>
          )}
        </span>
        {site.nextStep && (
          <span className={css.next}>
            {site.isQuarantined && canOpen ? (
              <Link to={`/sites/${site.id}/quarantine`} className={css.lead}>
                {site.nextStep}
              </Link>
            ) : (
              site.nextStep
            )}
          </span>
        )}
      </td>
      <td data-label="Incidents">
        <SeverityLine counts={site.incidents} />
      </td>
      <td data-label="Agents ok">
        <AgentsCell agents={site.agents} />
      </td>
      <td data-label="Queue">
        <QueueCell queue={site.queue} />
      </td>
      <td data-label="Evidence">
        <EvidenceMark state={site.evidence} bare />
      </td>
    </tr>
  );
}

function AgentsCell({ agents }: { agents: SiteSummary['agents'] }) {
  if (agents.total === 0) return <span className="dim">No agent</span>;
  const notOk = [agents.failing > 0 && `${agents.failing} failing`, agents.away > 0 && `${agents.away} away`];
  const words = notOk.filter(Boolean).join(', ');
  return (
    <span>
      <span className={css.figure}>
        {agents.ok}/{agents.total}
      </span>
      {words && <span className={css.more}>{words}</span>}
    </span>
  );
}

function QueueCell({ queue }: { queue: SiteSummary['queue'] }) {
  if (queue.depth === 0) return <span className="dim">Empty</span>;
  return (
    <span>
      <span className={css.figure}>{formatCount(queue.depth)}</span>
      <span className={css.more}>oldest {formatDuration(queue.oldestAgeMs)}</span>
    </span>
  );
}
