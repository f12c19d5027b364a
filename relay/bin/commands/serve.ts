import { createLogger } from '@sitewarden/kit/log';
import closeWithGrace from 'close-with-grace';
import { createPartner, createSignInLink, hasTenants } from '../../accounts/index.ts';
import type { RelayConfig } from '../../config/index.ts';
import { type RunningRelay, startRelay } from '../../server.ts';
import { print } from '../print.ts';

const STOP_WITHIN_MS = 10_000;
const FIRST_PARTNER = 'My company';
const FIRST_ADMIN = 'Admin';

export async function serve(config: RelayConfig, { readyJson }: { readyJson?: boolean }): Promise<void> {
  const log = createLogger({
    name: 'sitewarden-relay',
    level: config.logLevel,
    destination: { write: (line: string) => void process.stderr.write(line) },
  });
  const relay = await startRelay(config, { log });
  const { url, publicUrl } = relay;
  const signInUrl = await firstSignIn(relay);
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: false }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'stopping after a fault');
    else log.info({ signal }, 'stopping');
    await relay.close();
  });
  if (readyJson) {
    print(JSON.stringify({ ready: true, url, publicUrl, signInUrl }));
    return;
  }
  print(`The relay listens on ${url}${publicUrl === url ? '' : ` and is reached as ${publicUrl}`}`);
  if (signInUrl !== null) print(`Sign in once, within 15 minutes: ${signInUrl}`);
}

/** At the first start of all somebody must be able to come in; null ever after. */
async function firstSignIn({ services: { store }, publicUrl }: RunningRelay): Promise<string | null> {
  if (await hasTenants(store)) return null;
  const nowMs = Date.now();
  const partnerId = await createPartner(store, { name: FIRST_PARTNER, nowMs });
  const link = await createSignInLink(store, { publicUrl, role: 'admin', name: FIRST_ADMIN, partnerId, nowMs });
  return link.url;
}
