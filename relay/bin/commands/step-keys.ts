import type { RelayConfig } from '../../config/index.ts';
import { type KeyStep, stepKeys } from '../../keys/index.ts';
import { print } from '../print.ts';

const AFTERWARDS: Record<KeyStep, string> = {
  next: 'Boxes learn the next keys at their next check-in. Give those that are offline time, then run `keys switch`.',
  switch: 'Orders given before are still signed by the old key. Once none waits any more, run `keys retire`.',
  retire: 'The old keys are not believed any more.',
};

export async function stepKeysOf(
  { dataDir }: RelayConfig,
  step: KeyStep,
  { rootKey }: { rootKey?: string },
): Promise<void> {
  const { generation } = await stepKeys(step, { dataDir, rootKeyFile: rootKey, nowMs: Date.now() });
  print(`List ${generation} of the working keys is signed. Restart the relay now: it takes effect then.`);
  print(AFTERWARDS[step]);
}
