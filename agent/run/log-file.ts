import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

const MAX_BYTES = 5 * 1024 * 1024;

/**
 * For service managers that keep no log. Lines are written at once; at 5 MiB the file becomes `<path>.1` and a new one
 * begins. A log that cannot be written does not end the agent. Mode 0600.
 */
export function openLogFile(path: string, maxBytes = MAX_BYTES): { write(line: string): void } {
  let file: number | undefined;
  let bytes = 0;
  return {
    write(line) {
      try {
        if (file !== undefined && bytes >= maxBytes) {
          closeSync(file);
          file = undefined;
          renameSync(path, `${path}.1`);
        }
        if (file === undefined) {
          file = openSync(path, 'a', 0o600);
          bytes = fstatSync(file).size;
        }
        bytes += writeSync(file, line);
      } catch {
        // The next line tries again.
      }
    },
  };
}
