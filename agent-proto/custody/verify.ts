import { CustodyBundle, CustodyReceipt, compile, PAYLOAD_TYPES, RelayKeys, ReleasedPayload } from '../http/index.ts';
import {
  encodeVkey,
  NOTE_KEY_TYPES,
  parseCheckpoint,
  parseNote,
  parseVkey,
  verifierOf,
  verifyCosignature,
  verifyNote,
} from '../note/index.ts';
import { readSignedPayload } from './read-signed.ts';

/** `checks`: what held, in order. On failure `check` names the first one that did not. */
export type ReceiptVerdict =
  | { readonly ok: true; readonly receipt: CustodyReceipt; readonly checks: readonly string[] }
  | { readonly ok: false; readonly check: string; readonly detail: string };

/**
 * Checks a receipt with no network, under the relay's root key alone: the relay's keys, the receipt, the box's word that
 * it closed its log, and the last checkpoint with the relay's cosignature.
 */
export function verifyReceipt(bundle: unknown, rootKey: string): ReceiptVerdict {
  const checks: string[] = [];
  let check = 'form';
  const step = <T>(name: string, fn: () => T): T => {
    check = name;
    const value = fn();
    checks.push(name);
    return value;
  };
  try {
    const { receipt: text, relayKeys } = step('form', () => readBundle(bundle));
    const keys = step('relay keys under the root key', () =>
      readSignedPayload(relayKeys, {
        payloadType: PAYLOAD_TYPES.relayKeys,
        keys: [rootKey],
        validate: compile(RelayKeys),
      }),
    );
    const receipt = step('receipt under the config key', () =>
      readSignedPayload(text, {
        payloadType: PAYLOAD_TYPES.custody,
        keys: keys.config.map(({ publicKey }) => publicKey),
        validate: compile(CustodyReceipt),
      }),
    );
    if (receipt.log.checkpoint !== '') step('last checkpoint', () => assertCheckpoint(receipt, keys));
    if (receipt.released !== null) step("the box's own word", () => assertReleased(receipt));
    return { ok: true, receipt, checks };
  } catch (error) {
    return { ok: false, check, detail: (error as Error).message };
  }
}

function readBundle(bundle: unknown): CustodyBundle {
  const valid = compile(CustodyBundle)(bundle);
  if (!valid.ok) throw new TypeError(`${valid.field} ${valid.detail}`);
  return valid.value;
}

function assertCheckpoint({ log, box }: CustodyReceipt, { host, witness }: RelayKeys): void {
  const { text } = verifyNote(log.checkpoint, [verifierOf({ name: log.origin, publicKey: box.evk })]);
  const { origin, size, rootHash } = parseCheckpoint(text);
  const isSame = origin === log.origin && size === log.size && Buffer.from(rootHash).toString('hex') === log.rootHash;
  if (!isSame) throw new TypeError('It is of another log, size or root than the receipt says');
  const witnesses = witness.map(({ publicKey }) =>
    parseVkey(encodeVkey({ name: `${host}/witness`, publicKey, type: NOTE_KEY_TYPES.cosignature })),
  );
  const signers = parseNote(log.checkpoint).signatures;
  const known = witnesses.find(({ keyHash, name }) =>
    signers.some((one) => one.name === name && one.keyHash === keyHash),
  );
  if (known === undefined) throw new TypeError('No known witness has cosigned it');
  verifyCosignature(log.checkpoint, known);
}

function assertReleased({ released, box, log }: CustodyReceipt): void {
  const word = readSignedPayload(released ?? '', {
    payloadType: PAYLOAD_TYPES.released,
    keys: [box.dik],
    validate: compile(ReleasedPayload),
  });
  const isSame =
    word.applianceId === box.applianceId &&
    word.epoch === box.epoch &&
    word.size === log.size &&
    word.rootHash === log.rootHash;
  if (!isSame) throw new TypeError('It speaks of another box, epoch or log');
}
