import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { compile } from '@sitewarden/agent-proto/http';
import { startError } from './errors.ts';

const Port = Type.Integer({ minimum: 1, maximum: 65_535 });
const Program = Type.Object(
  {
    name: Type.String(),
    pid: Type.Integer({ minimum: 2 }),
    /** Of kit/services: names the process for good, where its number may come back. */
    identity: Type.String(),
  },
  { additionalProperties: false },
);
const Remembered = Type.Object(
  {
    ports: Type.Object({ relay: Port, local: Port, intake: Port }, { additionalProperties: false }),
    runs: Type.Integer({ minimum: 1 }),
    /** Public half; the relay itself does not keep it. */
    rootKey: Type.Optional(Type.String()),
    /** What this run started, and the next stops should this one not get to it. */
    programs: Type.Optional(Type.Array(Program, { maxItems: 16 })),
  },
  { additionalProperties: false },
);
/** What stays the same from one start to the next. */
export type Remembered = Static<typeof Remembered>;
export type StartedProgram = Static<typeof Program>;

const pathOf = (dataDir: string): string => join(dataDir, 'start.json');

/** Undefined at the first start. Throws START_STATE_DAMAGED naming file and field. */
export function readRemembered(dataDir: string): Remembered | undefined {
  const path = pathOf(dataDir);
  if (!existsSync(path)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw startError('START_STATE_DAMAGED', { detail: `${path} is not JSON`, field: path, cause });
  }
  const valid = compile(Remembered)(value);
  if (valid.ok) return valid.value;
  throw startError('START_STATE_DAMAGED', { detail: `${path}: ${valid.field} ${valid.detail}`, field: valid.field });
}

export function writeRemembered(dataDir: string, value: Remembered): void {
  writeFileSync(pathOf(dataDir), `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}
