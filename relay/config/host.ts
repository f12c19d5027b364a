import type { RelayConfig } from './schema.ts';

/** Host name of the relay, the first part of every log origin and bound into its keys. */
export function relayHost({ publicUrl, listen }: RelayConfig): string {
  return publicUrl === undefined ? listen.host : new URL(publicUrl).hostname;
}
