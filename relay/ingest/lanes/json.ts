import { compile, onDemand } from '@sitewarden/agent-proto/http';
import { relayErrors } from '../../errors.ts';
import { type Batch, parseJson } from '../parse.ts';

type Schema = Parameters<typeof compile>[0];

/** Validators of the row types of one lane, compiled at first use. */
export function rowReader<T>(schemas: Record<string, Schema>): (batch: Batch) => T[] {
  const compiled = onDemand((type: string) => compile(schemas[type] as Schema));
  const validatorOf = (type: unknown) =>
    typeof type === 'string' && Object.hasOwn(schemas, type) ? compiled(type) : undefined;
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
