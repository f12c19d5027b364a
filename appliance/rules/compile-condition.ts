import type { FactPrimitive } from '@sitewarden/agent-proto/agent';
import { type Modifier, parseFieldKey } from './fields.ts';
import type { Condition } from './schema.ts';
import type { RuleSubject } from './types.ts';

type Predicate = (subject: RuleSubject) => boolean;
type Test = (value: FactPrimitive) => boolean;
type Scalar = string | number | boolean;

/**
 * Turns a condition into one function; all work that depends on the rule alone is done here. Text is compared without
 * regard to case, as in Sigma. A list matches when one of its items does. A field that is not there matches nothing but
 * `exists: false`, so a `not` around it does match: pair it with `exists: true`.
 */
export function compileCondition(condition: Condition): Predicate {
  const parts = Object.entries(condition).map(([key, operand]) => compileKey(key, operand));
  return (subject) => parts.every((part) => part(subject));
}

function compileKey(key: string, operand: unknown): Predicate {
  if (key === 'not') {
    const inner = compileCondition(operand as Condition);
    return (subject) => !inner(subject);
  }
  if (key === 'any' || key === 'all') {
    const inner = (operand as Condition[]).map(compileCondition);
    return key === 'any'
      ? (subject) => inner.some((part) => part(subject))
      : (subject) => inner.every((part) => part(subject));
  }
  const { field, modifier } = parseFieldKey(key);
  const read = readerOf(field);
  if (modifier === 'exists') return (subject) => (read(subject) !== undefined) === operand;
  const test = testOf(modifier, operand);
  return (subject) => {
    const value = read(subject);
    if (value === undefined) return false;
    return Array.isArray(value) ? value.some(test) : test(value);
  };
}

/** The value of a field, undefined when the subject does not have it. */
export function readerOf(field: string): (subject: RuleSubject) => FactPrimitive | undefined {
  if (field.startsWith('facts.')) {
    const name = field.slice('facts.'.length);
    return ({ facts }) => (Object.hasOwn(facts, name) ? facts[name] : undefined);
  }
  return (subject) => subject[field as keyof RuleSubject] as string;
}

const fold = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

function testOf(modifier: Exclude<Modifier, 'exists'> | undefined, operand: unknown): Test {
  switch (modifier) {
    case undefined: {
      const wanted = fold(operand);
      return (value) => fold(value) === wanted;
    }
    case 'in': {
      const wanted = new Set((operand as Scalar[]).map(fold));
      return (value) => wanted.has(fold(value));
    }
    case 'gt':
      return number((value) => value > (operand as number));
    case 'gte':
      return number((value) => value >= (operand as number));
    case 'lt':
      return number((value) => value < (operand as number));
    case 'lte':
      return number((value) => value <= (operand as number));
    case 'contains':
      return text(operand, (value, part) => value.includes(part));
    case 'startswith':
      return text(operand, (value, part) => value.startsWith(part));
    case 'endswith':
      return text(operand, (value, part) => value.endsWith(part));
  }
}

/** Never true for text that looks like a number: facts have types, and a guess could start a repair. */
function number(compare: (value: number) => boolean): Test {
  return (value) => typeof value === 'number' && compare(value);
}

function text(operand: unknown, compare: (value: string, part: string) => boolean): Test {
  const parts = (Array.isArray(operand) ? operand : [operand]).map((part) => String(part).toLowerCase());
  return (value) => {
    if (typeof value !== 'string') return false;
    const folded = value.toLowerCase();
    return parts.some((part) => compare(folded, part));
  };
}
