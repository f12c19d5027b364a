import { stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AgentServiceClient } from '@sitewarden/agent-proto/agent';
import { compareVersions, type InstallerFile, type InstallerManifest } from '@sitewarden/agent-proto/installers';
import type { Logger } from '@sitewarden/kit/log';
import { agentErrors } from '../errors.ts';
import { download, partOf } from './download.ts';
import { removeJournal, writeJournal } from './journal.ts';
import { fetchManifest, pieceOf } from './source.ts';
import { keptOf, putInPlace } from './swap.ts';
import { tryProgram } from './try-program.ts';

export interface UpdaterOptions {
  readonly dataDir: string;
  readonly configPath: string | undefined;
  /** This program's own. */
  readonly version: string;
  readonly migrations: number;
  /** The one-file program that runs; undefined: it runs from sources, or its system has no installers. */
  readonly program: string | undefined;
  /** As the manifest names this machine. */
  readonly target: string | undefined;
  readonly publisherKey: string | undefined;
  /** Set by whoever looks after the workstation. */
  readonly isAllowed: boolean;
  /** mTLS to the box; closed here. */
  connect(): AgentServiceClient;
  readonly log: Logger;
  /** Bytes this user can still write there. Default: the file system says. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

export interface UpdateWish {
  readonly orderId: string;
  /** As staff named it; undefined: whatever newer one the box has. */
  readonly version: string | undefined;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
}

export interface UpdateOutcome {
  readonly to: string;
  /** False after a dry run. */
  readonly isInPlace: boolean;
}

export interface Updater {
  /** Of the program that runs. */
  readonly version: string;
  /**
   * Fetches, proves, tries and puts in place. Throws the UPDATE_ codes; until it ends well the program of before is the one
   * in place.
   */
  update(wish: UpdateWish): Promise<UpdateOutcome>;
}

/** For the folder's own growth, and for what others write meanwhile. */
const SPARE_BYTES = 32 * 1024 * 1024;

export function createUpdater(options: UpdaterOptions): Updater {
  const { dataDir, version, log, freeBytes = freeBytesOf } = options;

  return {
    version,
    async update({ orderId, version: named, isDryRun, signal }) {
      const { program, target, publisherKey } = assertPossible(options);
      const client = options.connect();
      try {
        const fetchPiece = pieceOf(client);
        const manifest = await fetchManifest(fetchPiece, publisherKey);
        const file = chooseFile(manifest, { target, version, named });
        await assertRoom(file, program);
        const to = manifest.version;
        if (isDryRun) return { to, isInPlace: false };
        log.info({ orderId, from: version, to }, 'fetching the new agent');
        const path = await download({ fetchPiece, file, program, signal });
        await tryProgram({ path, version: to, configPath: options.configPath, signal, log });
        const journal = { orderId, from: version, to, program, kept: keptOf(program), migrations: options.migrations };
        await writeJournal(dataDir, { version: 1, ...journal, starts: 0, isBack: false });
        await putInPlace(path, journal).catch(async (cause: NodeJS.ErrnoException) => {
          await removeJournal(dataDir);
          throw agentErrors.make('UPDATE_NOT_POSSIBLE', { detail: `It cannot be put in place: ${cause.code}`, cause });
        });
        log.info({ orderId, from: version, to }, 'the new agent is in place');
        return { to, isInPlace: true };
      } finally {
        client.close();
      }
    },
  };

  async function assertRoom(file: InstallerFile, program: string): Promise<void> {
    const part = await stat(partOf(program, file)).catch(() => undefined);
    const queue = await stat(join(dataDir, 'queue.db')).catch(() => undefined);
    const needs = [
      { folder: dirname(program), bytes: file.bytes - (part?.size ?? 0) + SPARE_BYTES },
      // The trial has a copy of the queue, and the way back may need another.
      { folder: dataDir, bytes: 2 * (queue?.size ?? 0) + SPARE_BYTES },
    ];
    for (const { folder, bytes } of needs) {
      if ((await freeBytes(folder)) >= bytes) continue;
      const detail = `${Math.ceil(bytes / 1024 / 1024)} MiB have to be free where ${folder === dataDir ? 'its data' : 'the program'} lies`;
      throw agentErrors.make('UPDATE_NO_ROOM', { detail });
    }
  }
}

function assertPossible({ program, target, publisherKey, isAllowed }: UpdaterOptions) {
  const impossible = (detail: string) => agentErrors.make('UPDATE_NOT_POSSIBLE', { detail });
  if (!isAllowed) throw impossible('updates.allowed is false in the configuration of this agent');
  if (program === undefined) throw impossible('It is not the one-file program');
  if (target === undefined) throw impossible('No one-file agent is made for this system');
  if (publisherKey === undefined) throw impossible('It was built without the key of a publisher');
  return { program, target, publisherKey };
}

/** Pure. Throws UPDATE_VERSION_MISSING, UPDATE_SAME_VERSION, UPDATE_NOT_NEWER, UPDATE_NO_INSTALLER. */
export function chooseFile(
  { version: offered, files }: InstallerManifest,
  { target, version, named }: { target: string; version: string; named: string | undefined },
): InstallerFile {
  if (named !== undefined && named !== offered) throw agentErrors.make('UPDATE_VERSION_MISSING');
  if (offered === version) throw agentErrors.make('UPDATE_SAME_VERSION');
  if (named === undefined && !((compareVersions(offered, version) ?? -1) > 0))
    throw agentErrors.make('UPDATE_NOT_NEWER');
  const file = files.find((one) => one.target === target);
  if (file === undefined) throw agentErrors.make('UPDATE_NO_INSTALLER', { detail: `None is for ${target}` });
  return file;
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bfree, bsize } = await statfs(folder);
  return (process.getuid?.() === 0 ? bfree : bavail) * bsize;
}
