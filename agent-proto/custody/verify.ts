import { decodeEnvelope } from '../dsse/index.ts';
import { logOrigin } from '../evidence/index.ts';
import { CustodyBundle, CustodyReceipt, compile, PAYLOAD_TYPES, RelayKeys, ReleasedPayload } from '../http/index.ts';
import { fingerprint } from '../keys/index.ts';
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
import { keyInForce } from '../rotation/index.ts';
import { type LastProven, readKeyChain } from './key-chain.ts';
import { readSignedPayload } from './read-signed.ts';

/**
 * What the key that signed a receipt is by the newest list. unasked: no newest list was given. current: it still signs.
 * told_by_box: withdrawn since, but the box's own closing entry names the same release, and the box is proved to be that one
 * by something the withdrawn key cannot make: its first key known from elsewhere, or a witness that is still in the list.
 * withdrawn: whoever has the key may have signed this after it was withdrawn, and dated it back.
 */
export type ReceiptSigner = 'unasked' | 'current' | 'told_by_box' | 'withdrawn';

/** `checks`: what held, in order. On failure `check` names the first one that did not. */
export type ReceiptVerdict =
  | {
      readonly ok: true;
      readonly receipt: CustodyReceipt;
      readonly checks: readonly string[];
      readonly signer: ReceiptSigner;
      /** What the box said of its end, under its own key; null of another kind of receipt. */
      readonly word: ReleasedPayload | null;
    }
  | { readonly ok: false; readonly check: string; readonly detail: string };

/**
 * Checks a receipt with no network, under the relay's root key alone: the relay's keys, now and when the log was
 * cosigned last, the receipt, the keys of the log from entry 0 on, its last checkpoint with the relay's cosignature, and
 * of a box that was released that its log ends with saying so, and its word that it closed it. `firstKey`: the box's evidence
 * key as a stranger knows it from entry 0. `newestRelayKeys`: the newest list of working keys, against a key that was stolen.
 */
export function verifyReceipt(
  bundle: unknown,
  rootKey: string,
  { firstKey, newestRelayKeys }: { firstKey?: string | undefined; newestRelayKeys?: string | undefined } = {},
): ReceiptVerdict {
  const checks: string[] = [];
  let check = 'form';
  let last: LastProven | undefined;
  let word: ReleasedPayload | null = null;
  const step = <T>(name: string, fn: () => T): T => {
    check = name;
    const value = fn();
    checks.push(name);
    return value;
  };
  try {
    const { receipt: text, relayKeys, proof } = step('form', () => readBundle(bundle));
    const keys = step('relay keys under the root key', () => readRelayKeys(relayKeys, rootKey));
    const newest =
      newestRelayKeys === undefined
        ? undefined
        : step('newest relay keys under the root key', () => newestKeys(newestRelayKeys, { rootKey, keys }));
    const before = (proof?.relayKeysBefore ?? []).map((one) =>
      step('former relay keys under the root key', () => formerKeys(one, { rootKey, keys })),
    );
    const receipt = step('receipt under the config key', () =>
      readSignedPayload(text, {
        payloadType: PAYLOAD_TYPES.custody,
        keys: keys.config.map(({ publicKey }) => publicKey),
        validate: compile(CustodyReceipt),
      }),
    );
    step('the log of this box', () => assertLog(receipt, keys.host));
    if (firstKey !== undefined) step('the first key of the box', () => assertFirstKey(receipt, firstKey));
    if (receipt.log.checkpoint !== '') {
      const { log, box } = receipt;
      const chain = step('keys of the log', () => readKeyChain(proof?.entries ?? [], { log, evk: box.evk }));
      const evk = keyInForce(chain.keys, log.size);
      step('last checkpoint', () => assertCheckpoint(receipt, { evk, lists: [keys, ...before] }));
      last = chain.last;
    }
    if (receipt.released !== null) {
      const said = step("the box's own word", () => readReleased(receipt));
      step('the log is closed', () => assertClosed(receipt, { word: said, last }));
      word = said;
    }
    const isTold = word !== null && last?.releaseId === word.releaseId;
    const isKnownBox = firstKey !== undefined || (newest !== undefined && isCosignedBy(receipt, newest));
    const signer =
      newest === undefined
        ? 'unasked'
        : isSignedBy(text, newest)
          ? 'current'
          : isTold && isKnownBox
            ? 'told_by_box'
            : 'withdrawn';
    return { ok: true, receipt, checks, signer, word };
  } catch (error) {
    return { ok: false, check, detail: (error as Error).message };
  }
}

function readBundle(bundle: unknown): CustodyBundle {
  const valid = compile(CustodyBundle)(bundle);
  if (!valid.ok) throw new TypeError(`${valid.field} ${valid.detail}`);
  return valid.value;
}

function readRelayKeys(text: string, rootKey: string): RelayKeys {
  return readSignedPayload(text, {
    payloadType: PAYLOAD_TYPES.relayKeys,
    keys: [rootKey],
    validate: compile(RelayKeys),
  });
}

function formerKeys(text: string, { rootKey, keys }: { rootKey: string; keys: RelayKeys }): RelayKeys {
  const list = readRelayKeys(text, rootKey);
  if (list.host !== keys.host) throw new TypeError('It is of another relay');
  if (list.generation >= keys.generation) throw new TypeError('It is not from before the present list');
  return list;
}

function newestKeys(text: string, { rootKey, keys }: { rootKey: string; keys: RelayKeys }): RelayKeys {
  const list = readRelayKeys(text, rootKey);
  if (list.host !== keys.host) throw new TypeError('It is of another relay');
  if (list.generation < keys.generation) throw new TypeError('It is older than the list the receipt was signed under');
  return list;
}

/** That the signature holds under a key of that id was judged before. */
const isSignedBy = (envelope: string, { config }: RelayKeys): boolean =>
  config.some(({ publicKey }) => fingerprint(publicKey) === decodeEnvelope(Buffer.from(envelope, 'latin1')).keyId);

/** By a witness that still signs: a relay cosigns only the logs of boxes it has, under the keys they have. */
function isCosignedBy({ log }: CustodyReceipt, list: RelayKeys): boolean {
  try {
    verifyWitness(log.checkpoint, [list]);
    return true;
  } catch {
    return false;
  }
}

function assertFirstKey({ box }: CustodyReceipt, firstKey: string): void {
  if (box.evk !== firstKey) throw new TypeError(`The log of the receipt began with the key ${box.evk}`);
}

/** Whoever signs receipts must not be able to hand one box the log of another, or sizes nobody signed. */
function assertLog({ kind, box, log, released }: CustodyReceipt, host: string): void {
  const origin = logOrigin(host, box.applianceId, box.epoch);
  if (log.origin !== '' && log.origin !== origin) throw new TypeError(`It is the log ${log.origin}, not ${origin}`);
  if (log.checkpoint === '' && (log.size !== 0 || log.rootHash !== '')) {
    throw new TypeError('It says a size or a root that no checkpoint stands for');
  }
  if (kind === 'released' && released === null) throw new TypeError('The box has not said that it closed its log');
}

function assertCheckpoint({ log }: CustodyReceipt, { evk, lists }: { evk: string; lists: readonly RelayKeys[] }): void {
  const { text } = verifyNote(log.checkpoint, [verifierOf({ name: log.origin, publicKey: evk })]);
  const { origin, size, rootHash } = parseCheckpoint(text);
  const isSame = origin === log.origin && size === log.size && Buffer.from(rootHash).toString('hex') === log.rootHash;
  if (!isSame) throw new TypeError('It is of another log, size or root than the receipt says');
  verifyWitness(log.checkpoint, lists);
}

/** Throws TypeError or ProtoError when none of their witnesses has cosigned it. */
function verifyWitness(checkpoint: string, lists: readonly RelayKeys[]): void {
  const witnesses = lists.flatMap(({ host, witness }) =>
    witness.map(({ publicKey }) =>
      parseVkey(encodeVkey({ name: `${host}/witness`, publicKey, type: NOTE_KEY_TYPES.cosignature })),
    ),
  );
  const signers = parseNote(checkpoint).signatures;
  const known = witnesses.find(({ keyHash, name }) =>
    signers.some((one) => one.name === name && one.keyHash === keyHash),
  );
  if (known === undefined) throw new TypeError('No known witness has cosigned it');
  verifyCosignature(checkpoint, known);
}

function readReleased({ released, box, log }: CustodyReceipt): ReleasedPayload {
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
  return word;
}

/** The device key on a receipt is the relay's word for it; that the log ends with the release only the box can have written. */
function assertClosed(
  { log }: CustodyReceipt,
  { word, last }: { word: ReleasedPayload; last: LastProven | undefined },
): void {
  const isEnd = last?.kind === 'released' && last.seq === log.size - 1 && last.isInTree;
  if (!isEnd) throw new TypeError('Its last entry, that the box is released, is not there');
  if (last.releaseId !== undefined && last.releaseId !== word.releaseId) {
    throw new TypeError('Its last entry is of another release');
  }
}
