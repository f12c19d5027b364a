import { runTool } from '@sitewarden/kit/exec';
import type { ToolCall } from './wmic.ts';

export interface RegistryKey {
  /** With the name of its hive in full, as reg.exe writes it. */
  readonly path: string;
  readonly values: Readonly<Record<string, string | number>>;
}

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Reads `reg query`: a line with the key, below it `    Name    REG_SZ    value`, four spaces each. Numbers are
 * `REG_DWORD    0x1`. Everything but the names of the hives and of the types is as it stands in the registry.
 */
export function parseRegQuery(text: string): RegistryKey[] {
  const keys: { path: string; values: Record<string, string | number> }[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (/^HKEY_[A-Z_]+(?:\\|$)/.test(line)) {
      keys.push({ path: line.trimEnd(), values: {} });
      continue;
    }
    const match = /^ {4}(.+?) {4}REG_([A-Z_]+)(?: {4}(.*))?$/.exec(line);
    const [, name, type, data = ''] = match ?? [];
    const key = keys.at(-1);
    if (name === undefined || key === undefined) continue;
    const isNumber = (type === 'DWORD' || type === 'QWORD') && /^0x[0-9a-f]+$/i.test(data);
    key.values[name] = isNumber ? Number(data) : data;
  }
  return keys;
}

export type RegistryAnswer =
  /** Empty when there is no such key. Keys that an account may not see look the same: run as SYSTEM. */
  { readonly ok: true; readonly keys: readonly RegistryKey[] } | { readonly ok: false; readonly isMissing: boolean };

/** reg.exe ends with 1 for a key that is not there. */
export async function askRegistry(
  key: string,
  { isDeep = false, tools, signal }: ToolCall & { isDeep?: boolean },
): Promise<RegistryAnswer> {
  const [program, ...first] = tools.reg;
  const argv = [program, ...first, 'query', key, ...(isDeep ? ['/s'] : [])] as const;
  const result = await runTool([...argv], {
    signal,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
    encoding: 'detect',
    input: '',
  });
  if (result.exitCode === 1 && !result.truncated) return { ok: true, keys: [] };
  if (!result.ok) return { ok: false, isMissing: result.missing };
  return { ok: true, keys: parseRegQuery(result.stdout) };
}
