import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@sitewarden/kit/files';

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
  /** The relay did not work with this box when it last called; null: it did. */
  readonly refusal?: Refusal | null;
}

export interface Refusal {
  /** As the relay said it. */
  readonly code: string;
  /** Of the first one in a row. */
  readonly atMs: number;
}

export interface ChainFile {
  /** A fresh chain when the file tells of another claim, or is not there. */
  load(owner: { applianceId: string; epoch: number }): Promise<ChainState>;
  /** Resolves when it is on disk. */
  save(state: ChainState): Promise<void>;
  /** The last one loaded or saved. */
  readonly last: ChainState | undefined;
}

const FILE = 'uplink.json';

/** Why the relay refuses this box, for whoever looks without the program running. */
export async function readRefusal(dataDir: string): Promise<Refusal | undefined> {
  return (await readChain(join(dataDir, FILE)))?.refusal ?? undefined;
}

async function readChain(path: string): Promise<ChainState | undefined> {
  const text = (await readFileIfExists(path))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as ChainState;
  } catch {
    return undefined;
  }
}

/**
 * The chain lives beside the database and not in it: a database that is set aside as damaged must not make the box forget
 * its last token, for the relay would then see a clone.
 */
export function openChainFile(dataDir: string): ChainFile {
  const path = join(dataDir, FILE);
  let last: ChainState | undefined;

  return {
    get last() {
      return last;
    },
    async load(owner) {
      const known = last ?? (await readChain(path));
      const isOurs = known?.applianceId === owner.applianceId && known.epoch === owner.epoch;
      last = isOurs ? known : fresh(owner);
      return last;
    },
    async save(state) {
      await writeFileAtomic(path, `${JSON.stringify(state)}\n`, { mode: 0o600 });
      last = state;
    },
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
  refusal: null,
});
