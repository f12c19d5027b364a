import * as first from './0001-first.ts';

/** Appended only: a name that was released never changes. */
export const MIGRATIONS = [{ name: '0001-first', up: first.up }];
