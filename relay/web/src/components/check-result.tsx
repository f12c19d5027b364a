import type { Check } from '../api/types.ts';
import { CHECK_STATUS, checkTitle } from '../words/checks.ts';
import css from './check-result.module.css';
import { Disclosure } from './disclosure.tsx';
import { FactGrid } from './fact-grid.tsx';
import { FactsList } from './facts.tsx';
import { SeverityTag } from './severity.tsx';
import { Tag } from './tag.tsx';
import { TimeAgo } from './time-ago.tsx';

/** One check on one subject: status and reason; opened, everything it stands on. */
export function CheckResult({ check }: { check: Check }) {
  return (
    <Disclosure
      summary={
        <span className={css.check}>
          <Tag sign={CHECK_STATUS[check.status]} />
          <span>
            <span className={css.title}>
              {checkTitle(check.check)}
              {check.subject && <span className="dim"> {check.subject}</span>}
            </span>
            <span className={`dim small ${css.reason}`}>
              {check.reason || check.actual} Since <TimeAgo atMs={check.sinceMs} quiet />.
            </span>
          </span>
        </span>
      }
    >
      <FactGrid
        rows={[
          { name: 'Expected', value: check.expected || 'not named' },
          { name: 'Actual', value: check.actual || 'not named' },
          { name: 'Severity', value: <SeverityTag severity={check.severity} /> },
          { name: 'Controls', value: check.controls.length > 0 ? check.controls.join(', ') : 'none' },
          { name: 'Collected', value: <TimeAgo atMs={check.collectedAtMs} /> },
          { name: 'Received', value: <TimeAgo atMs={check.receivedAtMs} /> },
        ]}
      />
      <h3 className={css.factsTitle}>Facts</h3>
      <FactsList facts={check.facts} />
    </Disclosure>
  );
}
