import type { Severity, SeverityCounts } from '../api/types.ts';
import { SEVERITIES, SEVERITY } from '../words/status.ts';
import css from './severity.module.css';
import { Tag } from './tag.tsx';

export const SeverityTag = ({ severity }: { severity: Severity }) => <Tag sign={SEVERITY[severity]} />;

/** Open incidents, worst first: "2 critical, 1 high". */
export function SeverityLine({ counts }: { counts: SeverityCounts }) {
  const present = SEVERITIES.filter((severity) => counts[severity] > 0);
  if (present.length === 0) return <span className="dim">None open</span>;
  return (
    <span className={css.line}>
      {present.map((severity) => (
        <Tag
          key={severity}
          sign={{ ...SEVERITY[severity], word: `${counts[severity]} ${SEVERITY[severity].word.toLowerCase()}` }}
          bare
        />
      ))}
    </span>
  );
}
