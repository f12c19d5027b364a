import { hash } from 'node:crypto';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { Count, closed, compile, Nonce, Nullable, Sha256Hex, UnixMs } from '@sitewarden/agent-proto/http';
import { readFileIfExists, writeFileAtomic } from '@sitewarden/kit/files';
import { lazily } from '../lib/lazily.ts';

/** Where the chain of check-ins stands, for one appliance and epoch. */
export interface ChainState {
  readonly applianceId: string;
  readonly epoch: number;
  /** Of the last check-in begun; the next one uses a higher one. */
  readonly counter: number;
  /** From the last answer: proves that the next check-in comes from the same box. */
  readonly token: string | null;
  readonly lastCheckinAtMs: number | null;
  /** The body of a check-in without an answer: it is repeated byte for byte, or the relay would see a clone. */
  readonly pendingBody: string | null;
  readonly isQuarantined: boolean;
  /** When no copy of the file could be read; the relay takes this box for a clone until staff release it. */
  readonly lostAtMs: number | null;
  /** The relay did not work with this box when it last called; null: it did. */
  readonly refusal: Refusal | null;
}

export interface Refusal {
  /** As the relay said it. */
  readonly code: string;
  /** Of the first one in a row. */
  readonly atMs: number;
}

export interface ChainFile {
  /** A fresh chain when the file tells of another claim, or is not there, or is damaged in every copy. */
  load(owner: { applianceId: string; epoch: number }): Promise<ChainState>;
  /** Resolves when it is on disk. */
  save(state: ChainState): Promise<void>;
  /** The last one loaded or saved. */
  readonly last: ChainState | undefined;
}

export interface ChainFileOptions {
  nowMs(): number;
  /** The relay answered this box before, as its database says: where there is no file then, it is lost. */
  wasHeard?(owner: { applianceId: string; epoch: number }): boolean;
  /** Some copy cannot be read; `isLost` when none can, or none is there any more. */
  onDamaged?(isLost: boolean): void;
}

/**
 * Both always say the same, the first one first: an older state would not do, for the relay may have heard what came
 * after it. A crash between the two leaves the newer one to win.
 */
const COPIES = ['uplink.json', 'uplink-copy.json'] as const;

const ChainRecord = closed({
  applianceId: Type.String({ minLength: 1, maxLength: 128 }),
  epoch: Type.Integer({ minimum: 1 }),
  counter: Count,
  token: Nullable(Nonce),
  lastCheckinAtMs: Nullable(UnixMs),
  pendingBody: Nullable(Type.String()),
  isQuarantined: Type.Boolean(),
  lostAtMs: Nullable(UnixMs),
  refusal: Nullable(closed({ code: Type.String({ maxLength: 64 }), atMs: UnixMs })),
  /** Rises with each save. */
  serial: Count,
  /** Of the JSON of all the others. */
  sha256: Sha256Hex,
});

const validator = lazily(() => compile(ChainRecord));

type Copy = { readonly state: ChainState; readonly serial: number } | 'missing' | 'damaged';

async function readCopy(path: string): Promise<Copy> {
  try {
    const text = (await readFileIfExists(path))?.toString('utf8');
    if (text === undefined) return 'missing';
    const valid = validator()(JSON.parse(text));
    if (!valid.ok) return 'damaged';
    const { sha256, ...rest } = valid.value;
    if (hash('sha256', JSON.stringify(rest)) !== sha256) return 'damaged';
    const { serial, ...state } = rest;
    return { state, serial };
  } catch {
    return 'damaged';
  }
}

/** What `doctor` can tell beside a running box; `wasHeard`: the relay has answered it before. */
export async function glanceAtChain(dataDir: string, wasHeard = false): Promise<'good' | 'one_copy' | 'lost'> {
  const { copies, newest } = await readCopies(dataDir);
  if (newest === undefined && wasHeard) return 'lost';
  if (!copies.includes('damaged')) return newest?.state.lostAtMs == null ? 'good' : 'lost';
  return newest === undefined ? 'lost' : 'one_copy';
}

async function readCopies(dataDir: string) {
  const copies = await Promise.all(COPIES.map((name) => readCopy(join(dataDir, name))));
  const good = copies.filter((copy) => typeof copy === 'object');
  return { copies, newest: good.sort((a, b) => b.serial - a.serial)[0] };
}

/** Why the relay refuses this box, for whoever looks without the program running. */
export async function readRefusal(dataDir: string): Promise<Refusal | undefined> {
  const { newest } = await readCopies(dataDir);
  return newest?.state.refusal ?? undefined;
}

/**
 * The chain lives beside the database and not in it: a database that is set aside as damaged must not make the box forget
 * its last token, for the relay would then see a clone.
 */
export function openChainFile(dataDir: string, { nowMs, wasHeard, onDamaged }: ChainFileOptions): ChainFile {
  let last: ChainState | undefined;
  let serial = 0;

  async function save(state: ChainState): Promise<void> {
    const record = { ...state, serial: serial + 1 };
    const text = `${JSON.stringify({ ...record, sha256: hash('sha256', JSON.stringify(record)) })}\n`;
    for (const name of COPIES) await writeFileAtomic(join(dataDir, name), text, { mode: 0o600 });
    serial += 1;
    last = state;
  }

  async function read(owner: { applianceId: string; epoch: number }): Promise<ChainState | undefined> {
    const { copies, newest } = await readCopies(dataDir);
    serial = newest?.serial ?? 0;
    const isGone = newest === undefined && wasHeard?.(owner) === true;
    if (!isGone && !copies.includes('damaged')) return newest?.state;
    const isLost = newest === undefined;
    onDamaged?.(isLost);
    const state = isLost ? { ...fresh(owner), lostAtMs: nowMs() } : newest.state;
    // Whole again at once, and a loss is noted once.
    await save(state);
    return state;
  }

  return {
    get last() {
      return last;
    },
    async load(owner) {
      const known = last ?? (await read(owner));
      const isOurs = known?.applianceId === owner.applianceId && known.epoch === owner.epoch;
      last = isOurs ? known : fresh(owner);
      return last;
    },
    save,
  };
}

const fresh = ({ applianceId, epoch }: { applianceId: string; epoch: number }): ChainState => ({
  applianceId,
  epoch,
  counter: 0,
  token: null,
  lastCheckinAtMs: null,
  pendingBody: null,
  isQuarantined: false,
  lostAtMs: null,
  refusal: null,
});
