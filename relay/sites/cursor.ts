import { relayErrors } from '../errors.ts';

/** Place of a site in the list. */
export interface ListPlace {
  rank: number;
  name: string;
  id: string;
}

/** Plain code unit order: the same on every machine and engine. */
export function comparePlaces(a: ListPlace, b: ListPlace): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

export const encodeCursor = ({ rank, id }: ListPlace): string => `${rank}.${id}`;

/** The last site of the page before and the rank it had then. Throws QUERY_INVALID. */
export function decodeCursor(cursor: string): Pick<ListPlace, 'rank' | 'id'> {
  const [, rank, id] = /^([0-3])\.(site_[a-z2-7]{26})$/.exec(cursor) ?? [];
  if (rank === undefined || id === undefined) {
    throw relayErrors.make('QUERY_INVALID', { field: '/cursor', detail: 'The cursor is not one of this list' });
  }
  return { rank: Number(rank), id };
}
