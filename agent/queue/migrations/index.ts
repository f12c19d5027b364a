import type { Migration } from '@sitewarden/kit/sqlite';
import * as first from './0001-first.ts';
import * as orderUndo from './0002-order-undo.ts';

/** Appended only: a name that was released never changes. */
export const QUEUE_MIGRATIONS: readonly Migration[] = [
  { name: '0001-first', up: first.up },
  { name: '0002-order-undo', up: orderUndo.up },
];
