import type { Incident } from '../api/types.ts';
import { checkTitle } from '../words/checks.ts';
import { INCIDENT_STATE } from '../words/work.ts';
import { ActionRunItem } from './action-run.tsx';
import { Disclosure } from './disclosure.tsx';
import { EntryMark } from './evidence-mark.tsx';
import { FactGrid } from './fact-grid.tsx';
import css from './incident-line.module.css';
import { SeverityTag } from './severity.tsx';
import { Tag } from './tag.tsx';
import { TimeAgo } from './time-ago.tsx';

/** What is wrong, where, how bad and since when; opened, why and what was done about it. */
export function IncidentLine({ incident }: { incident: Incident }) {
  return (
    <Disclosure
      summary={
        <span className={css.line}>
          <SeverityTag severity={incident.severity} />
          <span className={css.words}>
            <span className={css.title}>{incident.title}</span>
            <span className="dim small">
              {incident.host}, {incident.resolvedAtMs === null ? 'since ' : 'resolved '}
              <TimeAgo atMs={incident.resolvedAtMs ?? incident.openedAtMs} quiet />
            </span>
          </span>
          <Tag sign={INCIDENT_STATE[incident.state]} />
        </span>
      }
    >
      <IncidentDetail incident={incident} />
    </Disclosure>
  );
}

function IncidentDetail({ incident }: { incident: Incident }) {
  return (
    <div className={css.detail}>
      <p>
        {incident.reason}
        {incident.state !== 'resolved' && <strong> {incident.nextStep}</strong>}
      </p>
      <FactGrid
        rows={[
          { name: 'Check', value: `${checkTitle(incident.check)}${incident.subject ? ` ${incident.subject}` : ''}` },
          { name: 'Opened', value: <TimeAgo atMs={incident.openedAtMs} /> },
          { name: 'Last change', value: <TimeAgo atMs={incident.changedAtMs} /> },
          { name: 'Evidence', value: <EntryMark seq={incident.evidenceSeq} cosigned={incident.cosigned} /> },
        ]}
      />
      <h3 className={css.sub}>What was done about it</h3>
      {incident.actions.length === 0 ? (
        <p className="dim small">Nothing was tried: no rule covers this, or the tier of the site does not allow it.</p>
      ) : (
        <ul className={css.runs}>
          {incident.actions.map((run) => (
            <ActionRunItem key={run.id} run={run} />
          ))}
        </ul>
      )}
    </div>
  );
}
