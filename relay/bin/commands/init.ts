import { type RelayConfig, relayHost } from '../../config/index.ts';
import { hasKeys, initKeys } from '../../keys/index.ts';
import { print } from '../print.ts';

export async function init(
  config: RelayConfig,
  { json, ifMissing }: { json?: boolean; ifMissing?: boolean },
): Promise<void> {
  if (ifMissing && (await hasKeys(config.dataDir))) return;
  const host = relayHost(config);
  const made = await initKeys({ dataDir: config.dataDir, host, nowMs: Date.now() });
  if (json) {
    print(JSON.stringify({ host, ...made }));
    return;
  }
  print(`Keys of ${host} are made.`);
  print(`Root public key, which every box must be given: ${made.rootPublicKey}`);
  print(`Now move ${made.rootKeyFile} to a place that is not on any network. The relay runs without it.`);
}
