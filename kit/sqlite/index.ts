export { type CheckpointResult, checkpointPassive, checkpointTruncate, makeRoomAfter } from './checkpoint.ts';
export { assertDurable } from './durable.ts';
export { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
export { appliedMigrations } from './migrations.ts';
export { openDatabase } from './open.ts';
export { isDamage, type OpenedDatabase, openOrSetAside, quickCheck, quickCheckWithin } from './set-aside.ts';
export { withTransaction } from './transaction.ts';
export type { Migration, OpenOptions, SqliteDatabase } from './types.ts';
export { assertVersion, isVersionAtLeast, MIN_SQLITE_VERSION } from './version.ts';
