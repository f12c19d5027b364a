import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { syncFolder } from '@sitewarden/kit/files';
import { applianceErrors } from '../errors.ts';

export interface OutFile {
  /** All of it, on disk when it resolves. Throws OUT_FILE_UNWRITABLE. */
  write(text: string): Promise<void>;
  /** Leaves nothing half written behind. */
  remove(): Promise<void>;
}

/** Makes a file of mode 0600 that was not there before. Throws OUT_FILE_EXISTS, OUT_FILE_UNWRITABLE. */
export async function openOutFile(path: string): Promise<OutFile> {
  const target = resolve(path);
  let file: FileHandle;
  try {
    // O_EXCL: a path given by mistake, or a link somebody laid there, is never written through.
    file = await open(target, 'wx', 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw applianceErrors.make('OUT_FILE_EXISTS', { field: 'out', detail: target, cause });
    }
    throw unwritable(target, cause);
  }
  return {
    async write(text) {
      try {
        await file.chmod(0o600);
        await file.writeFile(text);
        await file.sync();
        await file.close();
        await syncFolder(dirname(target));
      } catch (cause) {
        throw unwritable(target, cause);
      }
    },
    async remove() {
      await file.close().catch(() => {});
      await rm(target, { force: true });
    },
  };
}

function unwritable(path: string, cause: unknown): Error {
  const { code } = cause as NodeJS.ErrnoException;
  return applianceErrors.make('OUT_FILE_UNWRITABLE', { field: 'out', detail: `${path} (${code})`, cause });
}
