import type { Facts } from '../api/types.ts';
import { factName, factValue } from '../words/checks.ts';
import { FactGrid } from './fact-grid.tsx';

/** Raw facts as they were collected. */
export function FactsList({ facts }: { facts: Facts }) {
  const names = Object.keys(facts).sort();
  if (names.length === 0) return <p className="dim small">No facts were reported.</p>;
  return <FactGrid rows={names.map((name) => ({ name: factName(name), value: factValue(facts[name]) }))} />;
}

/** What an action changed: only facts that differ, or a sentence when none does. */
export function FactsChange({ before, after }: { before: Facts; after: Facts }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = names.filter((name) => factValue(before[name]) !== factValue(after[name]));
  if (names.length === 0) return <p className="dim small">No facts were taken before or after.</p>;
  if (changed.length === 0) return <p className="dim small">No fact changed: {names.map(factName).join(', ')}.</p>;
  return (
    <FactGrid
      rows={changed.map((name) => ({
        name: factName(name),
        value: (
          <>
            <span className="visually-hidden">before </span>
            {factValue(before[name])} <span aria-hidden="true">→</span>
            <span className="visually-hidden">, after</span> <strong>{factValue(after[name])}</strong>
          </>
        ),
      }))}
    />
  );
}
