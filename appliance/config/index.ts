import { readFile } from 'node:fs/promises';
import { type ConfigResult, formatIssues, loadConfig } from '@sitewarden/kit/config';
import { applianceErrors } from '../errors.ts';
import { type ApplianceConfig, ApplianceConfigSchema } from './schema.ts';

export { type ApplianceConfig, ApplianceConfigSchema } from './schema.ts';
export { outboundProxy } from './way-out.ts';

/** Pure: the text of a file in, the configuration or every issue at once out. */
export function parseConfig(text: string, fileName: string): ConfigResult<ApplianceConfig> {
  return loadConfig(ApplianceConfigSchema, text, fileName);
}

/** Throws CONFIG_UNREADABLE, or CONFIG_INVALID with all issues in its message, `file:line:column: key: what`. */
export async function readConfigFile(path: string): Promise<ApplianceConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw applianceErrors.make('CONFIG_UNREADABLE', { detail: `${path}: ${(cause as Error).message}`, cause });
  }
  const result = parseConfig(text, path);
  if (result.ok) return result.value;
  throw applianceErrors.make('CONFIG_INVALID', {
    detail: `${formatIssues(result.issues, path)}\n`,
    data: { issues: result.issues },
  });
}
