import { readFileSync } from 'node:fs';
import { applianceErrors } from '../errors.ts';
import type { OutboundProxy } from '../lib/proxy.ts';
import type { ApplianceConfig } from './schema.ts';

const CREDENTIALS = /^([^:\r\n]{1,256}:[^\r\n]{0,256})\r?\n?$/;

/** The proxy of the configuration with its credentials. Throws CONFIG_INVALID with the key; never repeats a secret. */
export function outboundProxy({ relay }: Pick<ApplianceConfig, 'relay'>): OutboundProxy | undefined {
  const { proxy: url, proxyCredentialsFile: file } = relay;
  if (url === undefined) return undefined;
  if (file === undefined) return { url };
  const field = 'relay.proxyCredentialsFile';
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw applianceErrors.make('CONFIG_INVALID', { field, detail: `${field}: ${(cause as Error).message}`, cause });
  }
  const credentials = CREDENTIALS.exec(text)?.[1];
  if (credentials === undefined) {
    throw applianceErrors.make('CONFIG_INVALID', {
      field,
      detail: `${field}: ${file} does not hold one line name:password`,
    });
  }
  return { url, credentials };
}
