import type { Facts } from '../api/types.ts';
import { factName, factValue } from '../words/checks.ts';
import { Disclosure } from './disclosure.tsx';
import css from './facts-compare.module.css';

/** Facts before and after a repair, side by side; the line that opens it names what differs. */
export function FactsCompare({ before, after }: { before: Facts; after: Facts }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  if (names.length === 0) return null;
  const isChanged = (name: string) => factValue(before[name]) !== factValue(after[name]);
  const changes = names
    .filter(isChanged)
    .map((name) => `${factName(name)} from ${factValue(before[name])} to ${factValue(after[name])}`);
  return (
    <Disclosure
      summary={
        <span className="small">
          Before and after: {changes.length === 0 ? 'no fact differs' : changes.slice(0, 3).join(', ')}
          {changes.length > 3 && `, and ${changes.length - 3} more`}
        </span>
      }
    >
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">Fact</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name} data-changed={isChanged(name)}>
              <th scope="row">{factName(name)}</th>
              <td>{factValue(before[name])}</td>
              <td>
                {factValue(after[name])}
                {isChanged(name) && <span className="visually-hidden">, differs</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Disclosure>
  );
}
