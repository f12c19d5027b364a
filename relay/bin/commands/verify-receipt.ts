import { readFile } from 'node:fs/promises';
import { verifyReceipt as check } from '@sitewarden/agent-proto/custody';
import { relayErrors } from '../../errors.ts';
import { print } from '../print.ts';

const WITHDRAWN_EXIT_CODE = 3;

/**
 * Checks a saved receipt with no network and no relay. Exit code 1 when it does not hold, 3 when it does under a key that is
 * not in the newest list any more and nothing of the box's own bears it out. Throws RECEIPT_UNREADABLE, RELAY_KEYS_UNREADABLE.
 */
export async function verifyReceipt(
  file: string,
  { root, firstKey, relayKeys }: { root: string; firstKey?: string; relayKeys?: string },
): Promise<void> {
  const newestRelayKeys = relayKeys === undefined ? undefined : await readKeys(relayKeys);
  const verdict = check(await read(file), root, { firstKey, newestRelayKeys });
  if (!verdict.ok) {
    print(`DOES NOT HOLD at: ${verdict.check}. ${verdict.detail}`);
    process.exitCode = 1;
    return;
  }
  const { receipt, checks, signer, word } = verdict;
  const { box, log } = receipt;
  print(`Holds: ${checks.slice(1).join(', ')}.`);
  print(`Box ${box.serial} (${box.applianceId}, epoch ${box.epoch}): ${receipt.kind}`);
  print(`${receipt.siteName}, ${receipt.partnerName}: by ${receipt.by}, ${new Date(receipt.atMs).toISOString()}`);
  // What two receipts of one box have in common, also where they are of two relays.
  print(`Device key ${box.dik}`);
  if (receipt.kind === 'received') print(`Its log begins here: ${log.origin}`);
  else print(`Its log ends at ${log.size} cosigned entries${log.rootHash === '' ? '' : `, root ${log.rootHash}`}.`);
  if (signer === 'told_by_box' && word !== null) {
    print(
      `Signed by a key withdrawn since. That the box closed its log there, on ${new Date(word.closedAtMs).toISOString()} by its own ` +
        'clock, is in its own log; what else the receipt says is the word of the withdrawn key.',
    );
  }
  if (signer !== 'withdrawn') return;
  print(
    "SIGNED BY A KEY WITHDRAWN SINCE: believe its date only if the box's own log says the same. Who stole the key could have " +
      'signed it yesterday. Where it ends with a release, name the first key of the box with --first-key.',
  );
  process.exitCode = WITHDRAWN_EXIT_CODE;
}

/** As the relay answers `GET /api/relay/keys`, or the envelope alone as it lies in its folder of keys. */
async function readKeys(file: string): Promise<string> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    const { relayKeys } = JSON.parse(text) as { relayKeys?: unknown };
    return typeof relayKeys === 'string' ? relayKeys : text;
  } catch (cause) {
    throw relayErrors.make('RELAY_KEYS_UNREADABLE', { detail: (cause as Error).message, cause });
  }
}

async function read(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw relayErrors.make('RECEIPT_UNREADABLE', { detail: (cause as Error).message, cause });
  }
}
