import type { Figure } from './benches.ts';
import { measure } from './outbox-enqueue.ts';

/** The same with a transaction, and so a sync, for each row. */
export const run = (): Promise<Figure[]> => measure('outbox-enqueue-single', 1);
