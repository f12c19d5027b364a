import { Link } from 'react-router';
import type { SiteDetail } from '../../api/types.ts';
import { EvidenceMark } from '../../components/evidence-mark.tsx';
import { Note } from '../../components/note.tsx';
import { HealthBadge, StatusBadge } from '../../components/status-badge.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import { RunCheckButton } from './orders/run-check-button.tsx';
import { QuarantineNote } from './quarantine-note.tsx';
import css from './site-header.module.css';

/** Name, how it is, why, since when and what next. */
export function SiteHeader({ siteId, detail }: { siteId: string; detail: SiteDetail }) {
  const { summary, appliance, asOfMs } = detail;
  return (
    <header className={css.header}>
      <div className={css.top}>
        <div>
          <p className="small">
            <Link to="/">Sites</Link> <span className="dim">/ {summary.clientName}</span>
          </p>
          <h1>{summary.name}</h1>
        </div>
        {appliance && <RunCheckButton siteId={siteId} />}
      </div>
      <div className={css.state}>
        <HealthBadge health={summary.health} reason={summary.reason} />
        <p className={css.reason}>
          {summary.reason}
          {summary.sinceMs !== null && (
            <span className="dim">
              {' '}
              Since <TimeAgo atMs={summary.sinceMs} />.
            </span>
          )}
          {summary.nextStep && <span className={css.next}>{summary.nextStep}</span>}
        </p>
      </div>
      <dl className={css.facts}>
        <div>
          <dt>Box</dt>
          <dd>
            <StatusBadge status={summary.status} asOfMs={asOfMs} />
          </dd>
        </div>
        <div>
          <dt>Agents ok</dt>
          <dd className={css.figure}>
            {summary.agents.ok} of {summary.agents.total}
          </dd>
        </div>
        <div>
          <dt>Devices seen</dt>
          <dd className={css.figure}>{detail.deviceCount}</dd>
        </div>
        <div>
          <dt>Evidence</dt>
          <dd>
            <EvidenceMark state={summary.evidence} />
          </dd>
        </div>
      </dl>
      {appliance?.state === 'quarantined' && <QuarantineNote siteId={siteId} applianceId={appliance.id} />}
      {appliance?.state === 'revoked' && (
        <Note tone="warn" role="status" title="This box was removed from the site.">
          What is shown is the last that was heard of it. Claim another box under Provisioning.
        </Note>
      )}
    </header>
  );
}
