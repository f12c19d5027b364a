const NO_ROOM = new Set(['SQLITE_FULL', 'ENOSPC', 'EDQUOT']);

/** The disk is full or a quota is used up, as the system or SQLite says it. Nothing is broken: with some room the next try is as good as the first. */
export const isNoRoom = (error: unknown): boolean =>
  NO_ROOM.has(String((error as { code?: unknown } | undefined)?.code));
