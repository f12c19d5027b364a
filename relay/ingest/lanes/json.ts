import { compile, type Validation } from '@sitewarden/agent-proto/http';
import { relayErrors } from '../../errors.ts';
import { type Batch, parseJson } from '../parse.ts';

type Schema = Parameters<typeof compile>[0];

/** Validators of the row types of one lane, compiled at first use. */
export function rowReader<T>(schemas: Record<string, Schema>): (batch: Batch) => T[] {
  const validators = new Map<string, (value: unknown) => Validation<unknown>>();
  const validatorOf = (type: unknown) => {
    const schema = typeof type === 'string' && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
    if (schema === undefined) return undefined;
    const known = validators.get(type as string) ?? compile(schema);
    validators.set(type as string, known);
    return known;
  };
  return (batch) =>
    batch.rows.map((line, index) => {
      const seq = batch.firstSeq + index;
      const value = parseJson(line);
      const validate = validatorOf((value as { type?: unknown } | undefined | null)?.type);
      if (validate === undefined) throw invalidRow(seq, '/type', 'is not a row type of this lane');
      const result = validate(value);
      if (!result.ok) throw invalidRow(seq, result.field, result.detail);
      return result.value as T;
    });
}

function invalidRow(seq: number, field: string, detail: string): Error {
  return relayErrors.make('OUTBOX_ROW_INVALID', { field, detail: `Row ${seq}: ${field} ${detail}`, data: { seq } });
}
