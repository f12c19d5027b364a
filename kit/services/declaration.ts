import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { kitErrors } from '../errors/index.ts';

/** `<dir>/<name>.json` */
export interface ServiceDeclaration {
  readonly command: readonly [string, ...string[]];
  /** Absolute; its folder must exist. */
  readonly pidFile: string;
}

const MAX_BYTES = 64 * 1024;

/** Undefined when the service is not declared. Throws SERVICE_DECLARATION_INVALID. */
export async function readDeclaration(dir: string, name: string): Promise<ServiceDeclaration | undefined> {
  const path = join(dir, `${name}.json`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw invalid(`${path} cannot be read`, undefined, error);
  }
  return parseDeclaration(text, path);
}

export function parseDeclaration(text: string, path: string): ServiceDeclaration {
  let value: Partial<Record<string, unknown>> | null;
  try {
    value = text.length > MAX_BYTES ? null : JSON.parse(text);
  } catch (error) {
    throw invalid(`${path} is not JSON`, undefined, error);
  }
  if (typeof value !== 'object' || value === null) throw invalid(`${path} is not a JSON object of at most 64 KiB`);
  const { command, pidFile, ...rest } = value;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw invalid(`${path} has the unknown key ${unknown}`, unknown);
  if (!isArgv(command)) throw invalid(`${path} has no command of non-empty strings`, 'command');
  if (typeof pidFile !== 'string' || !isAbsolute(pidFile) || pidFile.includes('\0')) {
    throw invalid(`${path} has no absolute pidFile`, 'pidFile');
  }
  return { command, pidFile };
}

function isArgv(value: unknown): value is [string, ...string[]] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= 256 &&
    value.every((word) => typeof word === 'string' && !word.includes('\0')) &&
    value[0] !== ''
  );
}

function invalid(detail: string, field?: string, cause?: unknown): Error {
  return kitErrors.make('SERVICE_DECLARATION_INVALID', { detail, field, cause });
}
