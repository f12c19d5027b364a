import type { SiteList } from '../../api/types.ts';
import { SiteRow } from './site-row.tsx';
import css from './site-table.module.css';

interface SiteTableProps {
  pages: SiteList[];
  canOpen: boolean;
}

export function SiteTable({ pages, canOpen }: SiteTableProps) {
  return (
    <table className={css.table}>
      <caption className="visually-hidden">Sites, what is not fine first</caption>
      <thead className={css.head}>
        <tr>
          <th scope="col">Health, box</th>
          <th scope="col">Site</th>
          <th scope="col">Why, and what next</th>
          <th scope="col">Incidents</th>
          <th scope="col">Agents ok</th>
          <th scope="col">Queue</th>
          <th scope="col">Evidence</th>
        </tr>
      </thead>
      <tbody>
        {pages.flatMap((page) =>
          page.sites.map((site) => <SiteRow key={site.id} site={site} asOfMs={page.asOfMs} canOpen={canOpen} />),
        )}
      </tbody>
    </table>
  );
}
