import { readFile } from 'node:fs/promises';
import { Type } from '@sinclair/typebox';
import { formatIssues, loadConfig } from '@sitewarden/kit/config';
import { relayErrors } from '../errors.ts';
import { assertProxies } from './proxies.ts';
import { type RelayConfig, RelayConfigSchema } from './schema.ts';

export { relayHost } from './host.ts';
export { type RelayConfig, RelayConfigSchema } from './schema.ts';

/** What a file may hold when the command line says the rest. */
const PartialSchema = Type.Partial(RelayConfigSchema, { additionalProperties: false });

type Overrides = { [K in keyof RelayConfig]?: RelayConfig[K] | Partial<RelayConfig[K]> | undefined };

/** Reads YAML text, or nothing, with members of the command line put over it. Throws CONFIG_INVALID with every fault. */
export function readConfig(
  text: string,
  { fileName = 'configuration', overrides = {} }: { fileName?: string; overrides?: Overrides } = {},
): RelayConfig {
  const written = valid(PartialSchema, text, fileName) as Record<string, unknown>;
  const merged = { ...written };
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    const isGroup = typeof value === 'object' && !Array.isArray(value) && name !== 'store';
    merged[name] = isGroup ? { ...(written[name] as object | undefined), ...dropUndefined(value) } : value;
  }
  const name = Object.keys(dropUndefined(overrides)).length > 0 ? `${fileName} with the command line` : fileName;
  const config = valid(RelayConfigSchema, JSON.stringify(merged), name) as RelayConfig;
  assertProxies(config.trustProxy);
  return config;
}

function valid(schema: object, text: string, fileName: string): unknown {
  const result = loadConfig(schema, text, fileName);
  if (result.ok) return result.value;
  throw relayErrors.make('CONFIG_INVALID', {
    detail: formatIssues(result.issues, fileName),
    data: { issues: result.issues },
  });
}

function dropUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}

/** One secret, without the line end an editor leaves. Throws CONFIG_INVALID naming the key. */
export async function readSecret(path: string, field: string): Promise<string> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    if (text !== '') return text;
  } catch (cause) {
    throw relayErrors.make('CONFIG_INVALID', { field, detail: `${path} cannot be read`, cause });
  }
  throw relayErrors.make('CONFIG_INVALID', { field, detail: `${path} is empty` });
}
