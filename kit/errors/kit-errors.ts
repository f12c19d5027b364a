import { defineErrors } from './define-errors.ts';

/** Codes raised by this library itself; programs document them beside their own. */
export const kitErrors = defineErrors({
  FILE_LOCKED: {
    status: 409,
    message: 'Only one process may use this data folder. Stop the other one, or give this one another folder.',
  },
  FILE_LOCK_UNUSABLE: {
    status: 500,
    message:
      'The lock file does not work here. Put the data folder on a local disk; if the file is damaged, remove it while nothing runs.',
  },
  FILE_LOCK_NO_ROOM: {
    status: 507,
    message:
      'The disk is full, so the lock file of the data folder cannot be written. Free some space, then start again.',
  },
  FILE_NOT_DIRECTORY: {
    status: 409,
    message: 'A folder is needed at this path. Move what is there, or name another path.',
  },
  DATA_DIR_UNUSABLE: {
    status: 500,
    message: 'The folder cannot be used. Name another path, or correct its owner and rights, then start again.',
  },
  ADDON_UNUSABLE: {
    status: 500,
    message:
      'The database library that this program carries cannot be unpacked and loaded beside the data. Put the data folder on a local disk that is not full and not mounted noexec.',
  },
  SQLITE_TOO_OLD: {
    status: 500,
    message: 'SQLite 3.51.3 or newer is needed, older ones can damage a WAL database. Reinstall the dependencies.',
  },
  SQLITE_NOT_DURABLE: {
    status: 500,
    message: 'The database would not sync every commit to disk. Use a local file system and the bundled SQLite.',
  },
  SQLITE_MIGRATIONS_CHANGED: {
    status: 500,
    message: 'The database was written by another version of this program. Run that version, or a newer one.',
  },
  SQLITE_MIGRATION_FAILED: {
    status: 500,
    message: 'The migration was rolled back and the database is as before. Read the cause, then start again.',
  },
  SQLITE_DAMAGED: {
    status: 500,
    message: 'The database file is damaged. Set it aside or restore a copy, then start again.',
  },
  SQLITE_NO_ROOM: {
    status: 507,
    message: 'The disk is too full to open the database. Free some space, the program tries again.',
  },
  SQLITE_REOPEN_NEEDED: {
    status: 503,
    message: 'A write to disk failed, so nothing is accepted until the database is opened again. Try again shortly.',
  },
  QUEUE_FULL: { status: 503, grpc: 8, message: 'Too much waits to be written. Wait a moment and send it again.' },
  QUEUE_CLOSED: { status: 503, message: 'The program is stopping. Send it again after the restart.' },
  SERVICE_NAME_INVALID: {
    status: 400,
    message: 'A service name has 1 to 64 of A-Z a-z 0-9 @ . _ - and does not begin with a hyphen. Correct the name.',
  },
  SERVICE_UNKNOWN: {
    status: 404,
    message: 'This host has no service of that name. Check the name in the site configuration.',
  },
  SERVICE_DECLARATION_INVALID: {
    status: 400,
    message: 'A declared service is a JSON file with command (argv) and pidFile (absolute path). Correct the file.',
  },
  SERVICE_MANAGER_FAILED: {
    status: 502,
    message: 'The service manager refused. Look at the service on the host itself.',
  },
  SERVICE_TIMEOUT: {
    status: 504,
    message: 'The service manager did not answer in time. Look at the service on the host itself.',
  },
  SERVICE_ACTION_ABORTED: {
    status: 499,
    message: 'The action was called off before it ended. Check the service, then ask again.',
  },
  LIFECYCLE_STOP_TIMEOUT: {
    status: 500,
    message: 'A part did not stop in time and was left behind. Look at what it waits for.',
  },
});

export type KitErrorCode = (typeof kitErrors.codes)[number];
