import type { SchemaNode } from './types.ts';

/**
 * The schema as it is enforced: an object that lists its keys takes no others, and a group whose required keys all have
 * defaults may be left out. Keywords beginning with `x-` are notes to the programs. The given schema is not changed.
 */
export function prepareSchema(schema: object): SchemaNode {
  return prepare(schema as SchemaNode, false);
}

function prepare(node: SchemaNode, isPartOfAllOf: boolean): SchemaNode {
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (keyword.startsWith('x-')) continue;
    result[keyword] = prepareKeyword(keyword, value);
  }
  const isClosable = node.properties !== undefined && node.additionalProperties === undefined && !isPartOfAllOf;
  if (isClosable && node.patternProperties === undefined) result.additionalProperties = false;
  return result as SchemaNode;
}

function prepareKeyword(keyword: string, value: unknown): unknown {
  if (Array.isArray(value) && /^(anyOf|oneOf|allOf|prefixItems)$/.test(keyword)) {
    return value.map((one) => prepare(one, keyword === 'allOf'));
  }
  if (!isNode(value)) return value;
  if (keyword === 'properties' || keyword === 'patternProperties' || keyword === '$defs') {
    const isFillable = keyword === 'properties';
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => {
        const child = prepare(one as SchemaNode, false);
        return [key, isFillable && isAllDefaults(child) ? { ...child, default: {} } : child];
      }),
    );
  }
  if (keyword === 'items' || keyword === 'additionalProperties' || keyword === 'not') return prepare(value, false);
  return value;
}

function isAllDefaults(node: SchemaNode): boolean {
  if (node.type !== 'object' || node.properties === undefined || node.default !== undefined) return false;
  const required = node.required ?? [];
  return required.length > 0 && required.every((key) => node.properties?.[key]?.default !== undefined);
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
