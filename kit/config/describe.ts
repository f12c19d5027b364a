import { prepareSchema } from './prepare-schema.ts';
import type { SchemaNode } from './types.ts';

export interface ConfigRow {
  /** Dotted; `[]` for each item of a list, `<name>` for a free key. */
  readonly key: string;
  /** `integer 1..65535`, `'a' | 'b'`, `list of string` ... */
  readonly type: string;
  /** JSON, or empty when there is none. */
  readonly default: string;
  readonly isRequired: boolean;
  readonly text: string;
}

/** One row for each key a person can write, in schema order, for the reference page and its test. */
export function describeConfig(schema: object): ConfigRow[] {
  return rowsOf(prepareSchema(schema), '');
}

function rowsOf(schema: SchemaNode, prefix: string): ConfigRow[] {
  const rows: ConfigRow[] = [];
  for (const [name, node] of Object.entries(schema.properties ?? {})) {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    rows.push({
      key,
      type: typeText(node),
      default: node.default === undefined ? '' : JSON.stringify(node.default),
      isRequired: (schema.required ?? []).includes(name) && node.default === undefined,
      text: node.description ?? '',
    });
    rows.push(...childRows(node, key));
  }
  return rows;
}

function childRows(node: SchemaNode, key: string): ConfigRow[] {
  const rows = rowsOf(node, key);
  if (node.items !== undefined) rows.push(...childRows(node.items, `${key}[]`));
  for (const free of freeValues(node)) rows.push(...childRows(free, `${key}.<name>`));
  for (const branch of node.anyOf ?? []) rows.push(...childRows(branch, key));
  return dedupe(rows);
}

function freeValues(node: SchemaNode): SchemaNode[] {
  const free = Object.values(node.patternProperties ?? {});
  if (typeof node.additionalProperties === 'object') free.push(node.additionalProperties);
  return free;
}

function typeText(node: SchemaNode): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return node.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeText))].join(' | ');
  if (node.type === 'array') return `list of ${node.items === undefined ? 'anything' : typeText(node.items)}`;
  const name = Array.isArray(node.type) ? node.type.join(' | ') : String(node.type ?? 'anything');
  return [name, node.format, rangeText(node)].filter(Boolean).join(' ');
}

function rangeText(node: SchemaNode): string {
  const low = node.minimum ?? node.exclusiveMinimum ?? node.minLength;
  const high = node.maximum ?? node.exclusiveMaximum ?? node.maxLength;
  if (low === undefined && high === undefined) return '';
  const unit = node.minLength === undefined && node.maxLength === undefined ? '' : ' characters';
  return `${low ?? ''}..${high ?? ''}${unit}`;
}

function dedupe(rows: ConfigRow[]): ConfigRow[] {
  const seen = new Set<string>();
  return rows.filter((row) => !seen.has(row.key) && seen.add(row.key));
}
