const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
  null: 'empty',
};

export function typeName(type: unknown): string {
  return (Array.isArray(type) ? type : [type]).map((one) => TYPE_NAMES[String(one)] ?? 'another form').join(' or ');
}

/** Short, and without the inside of groups. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  if (typeof value === 'string') return `\`${value.length > 40 ? `${value.slice(0, 37)}...` : value}\``;
  return String(value);
}

export function list(values: readonly unknown[]): string {
  return values.map(show).join(', ');
}

/** What people write who think of another version of YAML. */
export function typeHint(data: unknown, type: unknown): string | undefined {
  if (type === 'boolean' && typeof data === 'string' && /^(yes|no|on|off)$/i.test(data)) {
    return `YAML 1.2 reads \`${data}\` as text: write ${/^(yes|on)$/i.test(data) ? 'true' : 'false'}`;
  }
  if (type === 'string' && (typeof data === 'number' || typeof data === 'boolean')) return 'put it in quotes';
  const isNumeric = typeof data === 'string' && data.trim() !== '' && Number.isFinite(Number(data));
  return isNumeric && (type === 'integer' || type === 'number') ? 'remove the quotes' : undefined;
}
