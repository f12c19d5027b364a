import { BOX_ERRORS, type BoxErrorCode } from '@sitewarden/agent-proto/http';
import { readRefusal } from '../uplink/index.ts';
import { Finding, type Patient } from './types.ts';

/** What the relay said of this box when it last refused it; kept on disk, so that no relay has to be there. */
export async function examineSite({ dataDir }: Patient): Promise<string> {
  const refusal = await readRefusal(dataDir);
  if (refusal === undefined) return 'The relay has not refused this box.';
  const known = Object.hasOwn(BOX_ERRORS, refusal.code) ? BOX_ERRORS[refusal.code as BoxErrorCode].message : undefined;
  const next = known ?? 'Look at the site page of the relay.';
  const at = new Date(refusal.atMs).toISOString().slice(0, 16).replace('T', ' ');
  throw new Finding('NOT_WELCOME', `The relay refuses this box since ${at} UTC (${refusal.code}). ${next}`);
}
