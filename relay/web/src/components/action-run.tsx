import type { ActionRun } from '../api/types.ts';
import { formatDuration } from '../clock/format.ts';
import { factName, factValue } from '../words/checks.ts';
import { actionWords, RUN_STATE } from '../words/work.ts';
import { EntryMark } from './evidence-mark.tsx';
import { FactsChange } from './facts.tsx';
import css from './incident-line.module.css';
import { Tag } from './tag.tsx';
import { TimeAgo } from './time-ago.tsx';

/** One repair: what ran, by which rule, how it ended, what changed, and its proof. */
export function ActionRunItem({ run }: { run: ActionRun }) {
  const params = Object.entries(run.params).map(([name, value]) => `${factName(name)} ${factValue(value)}`);
  return (
    <li className={css.run}>
      <div className={css.runHead}>
        <Tag sign={RUN_STATE[run.state]} />
        <span className={css.title}>{actionWords(run.action)}</span>
        {params.length > 0 && <span className="dim small">{params.join(', ')}</span>}
      </div>
      {run.outcome && (
        <p className="small">
          {run.outcome} {run.code && <code>{run.code}</code>}
        </p>
      )}
      <p className="dim small">
        Rule {run.ruleId} version {run.ruleVersion}, <TimeAgo atMs={run.startedAtMs} />
        {run.finishedAtMs !== null && `, took ${formatDuration(run.finishedAtMs - run.startedAtMs)}`}
      </p>
      <FactsChange before={run.before} after={run.after} />
      <p>
        <EntryMark seq={run.evidenceSeq} cosigned={run.cosigned} />
      </p>
    </li>
  );
}
