import { readFile } from 'node:fs/promises';
import { verifyReceipt as check } from '@sitewarden/agent-proto/custody';
import { relayErrors } from '../../errors.ts';
import { print } from '../print.ts';

/** Checks a saved receipt with no network and no relay. Exit code 1 when it does not hold. Throws RECEIPT_UNREADABLE. */
export async function verifyReceipt(
  file: string,
  { root, firstKey }: { root: string; firstKey?: string },
): Promise<void> {
  const verdict = check(await read(file), root, { firstKey });
  if (!verdict.ok) {
    print(`DOES NOT HOLD at: ${verdict.check}. ${verdict.detail}`);
    process.exitCode = 1;
    return;
  }
  const { receipt, checks } = verdict;
  const { box, log } = receipt;
  print(`Holds: ${checks.slice(1).join(', ')}.`);
  print(`Box ${box.serial} (${box.applianceId}, epoch ${box.epoch}): ${receipt.kind}`);
  print(`${receipt.siteName}, ${receipt.partnerName}: by ${receipt.by}, ${new Date(receipt.atMs).toISOString()}`);
  // What two receipts of one box have in common, also where they are of two relays.
  print(`Device key ${box.dik}`);
  if (receipt.kind === 'received') print(`Its log begins here: ${log.origin}`);
  else print(`Its log ends at ${log.size} cosigned entries${log.rootHash === '' ? '' : `, root ${log.rootHash}`}.`);
}

async function read(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw relayErrors.make('RECEIPT_UNREADABLE', { detail: (cause as Error).message, cause });
  }
}
